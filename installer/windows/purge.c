// Removes what lies below a user's own folder, with all that is in it: `purge.exe FOLDER BELOW...`. A link to elsewhere is removed as a link and never
// followed, and nothing is removed behind one: the folder belongs to somebody, and who uninstalls may be allowed more than that person is. Ends with 0,
// or with 14 when something could not be removed.
#include <stdio.h>
#include <wchar.h>
#include <windows.h>

enum { MAX_LENGTH = 4096, REDIRECTION_TRUST = 16, ENFORCE = 1 };

static int purge(wchar_t *path) {
  DWORD attributes = GetFileAttributesW(path);
  if (attributes == INVALID_FILE_ATTRIBUTES) return 1;
  if (!(attributes & FILE_ATTRIBUTE_DIRECTORY)) {
    if (attributes & FILE_ATTRIBUTE_READONLY) SetFileAttributesW(path, FILE_ATTRIBUTE_NORMAL);
    return DeleteFileW(path);
  }
  if (attributes & FILE_ATTRIBUTE_REPARSE_POINT) return RemoveDirectoryW(path);
  size_t length = wcslen(path);
  if (length + MAX_PATH + 2 > MAX_LENGTH) return 0;
  wcscpy(path + length, L"\\*");
  WIN32_FIND_DATAW found;
  HANDLE search = FindFirstFileW(path, &found);
  int done = search != INVALID_HANDLE_VALUE;
  while (done) {
    if (wcscmp(found.cFileName, L".") != 0 && wcscmp(found.cFileName, L"..") != 0) {
      _snwprintf(path + length, MAX_LENGTH - length, L"\\%ls", found.cFileName);
      done = purge(path);
    }
    if (!FindNextFileW(search, &found)) break;
  }
  if (search != INVALID_HANDLE_VALUE) FindClose(search);
  path[length] = 0;
  return RemoveDirectoryW(path) && done;
}

// Whether a folder on the way there is a link; then it is another person's choice what is there, and it stays.
static int isElsewhere(wchar_t *path, size_t own) {
  for (wchar_t *end = wcschr(path + own + 1, L'\\'); end; end = wcschr(end + 1, L'\\')) {
    *end = 0;
    DWORD attributes = GetFileAttributesW(path);
    *end = L'\\';
    if (attributes != INVALID_FILE_ATTRIBUTES && (attributes & FILE_ATTRIBUTE_REPARSE_POINT)) return 1;
  }
  return 0;
}

// Nor are links followed that are made meanwhile, where Windows is new enough to tell which no administrator has made.
static void distrustLinks(void) {
  typedef BOOL(WINAPI * Set)(int, void *, SIZE_T);
  Set set = (Set)(void *)GetProcAddress(GetModuleHandleW(L"kernel32"), "SetProcessMitigationPolicy");
  DWORD enforce = ENFORCE;
  if (set) set(REDIRECTION_TRUST, &enforce, sizeof enforce);
}

int wmain(int count, wchar_t **words) {
  static wchar_t path[MAX_LENGTH];
  int done = 1;
  for (int at = 2; at < count; at++) {
    _snwprintf(path, MAX_LENGTH - 1, L"%ls\\%ls", words[1], words[at]);
    if (!isElsewhere(path, wcslen(words[1]))) continue;
    if (GetFileAttributesW(path) != INVALID_FILE_ATTRIBUTES) done = 0;
    words[at] = NULL;
  }
  distrustLinks();
  for (int at = 2; at < count; at++) {
    if (!words[at]) continue;
    _snwprintf(path, MAX_LENGTH - 1, L"%ls\\%ls", words[1], words[at]);
    done &= purge(path);
  }
  return done ? 0 : 14;
}
