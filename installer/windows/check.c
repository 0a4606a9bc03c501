// Of the MSI: looks at the properties that an administrator gave before anything is changed, as Setup looks at its parameters. Windows Installer's
// own conditions cannot say what a join link or a pool is. What was told to an earlier installation, and is only kept, is not looked at again.
#include <wchar.h>
#include <windows.h>
#include <msi.h>
#include <msiquery.h>

enum { MAX_LENGTH = 1024, MIN_LINK = 80, MAX_LINK = 900, KEY = 43, MIN_TOKEN = 22, MAX_TOKEN = 86, MAX_POOL = 32 };
static const wchar_t CODED[] = L"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";

static int isCoded(const wchar_t *text, size_t least, size_t most) {
  size_t length = wcslen(text);
  return length >= least && length <= most && wcsspn(text, CODED) == length;
}

// scheme://host#KEY.TOKEN as far as its form goes; the app reads it exactly.
static int isLink(wchar_t *text) {
  size_t length = wcslen(text);
  wchar_t *end = wcschr(text, L'#');
  if (length < MIN_LINK || length > MAX_LINK || !end) return 0;
  if (wcsncmp(text, L"nightshift://", 13) && wcsncmp(text, L"nightshifts://", 14)) return 0;
  for (wchar_t *at = text; at < end; at++)
    if (!wcschr(CODED, *at) && !wcschr(L".~:/[]", *at)) return 0;
  if (wcslen(end) < KEY + 2 || end[1 + KEY] != L'.') return 0;
  end[1 + KEY] = 0;
  return isCoded(end + 1, KEY, KEY) && isCoded(end + 2 + KEY, MIN_TOKEN, MAX_TOKEN);
}

// Letters and digits of any language; the coordinator looks at it exactly.
static int isPool(wchar_t *text) {
  size_t length = wcslen(text);
  for (size_t at = 0; at < length; at++)
    if (text[at] < 0x80 && !wcschr(CODED, text[at]) && (at == 0 || !wcschr(L". ", text[at]))) return 0;
  return length <= MAX_POOL && text[0] != L'_' && text[0] != L'-';
}

static int isGood(MSIHANDLE install, const wchar_t *name, const wchar_t *before, int (*is)(wchar_t *)) {
  wchar_t value[MAX_LENGTH] = L"", old[MAX_LENGTH] = L"";
  DWORD length = MAX_LENGTH, oldLength = MAX_LENGTH;
  if (MsiGetPropertyW(install, name, value, &length)) return 0;
  if (MsiGetPropertyW(install, before, old, &oldLength)) old[0] = 0;
  return !value[0] || !wcscmp(value, old) || is(value);
}

__declspec(dllexport) UINT __stdcall CheckProperties(MSIHANDLE install) {
  const wchar_t *wrong = !isGood(install, L"JOIN", L"OLDJOIN", isLink) ? L"JOIN must be a whole join link."
                         : !isGood(install, L"POOL", L"OLDPOOL", isPool)
                             ? L"POOL must be a letter or digit, then up to 31 letters, digits, blanks, dots, dashes and underscores."
                             : NULL;
  if (!wrong) return ERROR_SUCCESS;
  // Without the value: a link is a secret.
  MSIHANDLE said = MsiCreateRecord(0);
  MsiRecordSetStringW(said, 0, wrong);
  MsiProcessMessage(install, INSTALLMESSAGE_ERROR, said);
  MsiCloseHandle(said);
  return ERROR_INSTALL_FAILURE;
}
