/* Messages of programs in other languages: there are none, so each stays as it is. */
#ifndef NIGHTSHIFT_LIBINTL_H
#define NIGHTSHIFT_LIBINTL_H

static inline char *gettext(const char *text) { return (char *)text; }
static inline char *dgettext(const char *domain, const char *text) { return (void)domain, (char *)text; }
static inline char *dcgettext(const char *domain, const char *text, int category) { return (void)domain, (void)category, (char *)text; }
static inline char *ngettext(const char *one, const char *more, unsigned long count) { return (char *)(count == 1 ? one : more); }
static inline char *dngettext(const char *domain, const char *one, const char *more, unsigned long count) {
  return (void)domain, ngettext(one, more, count);
}
static inline char *textdomain(const char *domain) { return (char *)(domain ? domain : "messages"); }
static inline char *bindtextdomain(const char *domain, const char *folder) { return (void)domain, (char *)folder; }
static inline char *bind_textdomain_codeset(const char *domain, const char *codeset) { return (void)domain, (char *)codeset; }

#endif
