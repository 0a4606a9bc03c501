// Removes folders with all that is in them: `purge.exe FOLDER...`. A link to elsewhere is removed as a link, never followed: the folders
// belong to people, and who uninstalls may be allowed more than they are. Ends with 0, or with 14 when something could not be removed.
#include <stdio.h>
#include <wchar.h>
#include <windows.h>

enum { MAX_LENGTH = 4096 };

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

int wmain(int count, wchar_t **words) {
  static wchar_t path[MAX_LENGTH];
  int done = 1;
  for (int at = 1; at < count; at++) {
    _snwprintf(path, MAX_LENGTH - 1, L"%ls", words[at]);
    done &= purge(path);
  }
  return done ? 0 : 14;
}
