// Stands in for Electron where there is none: a real program, so that everything an installer does around it is real, and no more. Says what
// it is in its resources (stand-in.rc) and on standard output. Stays as the app does, until it is asked to leave: by the file `leave`
// beside it, unless STAND_IN_STAYS is set. What it was started with goes into a file of its own in the folder STAND_IN_NOTES, if there is one.
#include <stdio.h>
#include <wchar.h>
#include <windows.h>

enum { LOOK_MS = 50 };

int wmain(int count, wchar_t **words) {
  puts("This is not Nightshift but a stand-in, built without Electron.");
  wchar_t path[MAX_PATH + 20];
  DWORD length = GetEnvironmentVariableW(L"STAND_IN_NOTES", path, MAX_PATH);
  if (length > 0 && length < MAX_PATH) {
    _snwprintf(path + length, 20, L"\\%lu.txt", GetCurrentProcessId());
    FILE *notes = _wfopen(path, L"a");
    for (int at = 1; notes && at < count; at++) fwprintf(notes, L"%ls%ls", words[at], at == count - 1 ? L"\n" : L" ");
    if (notes) fclose(notes);
  }
  // Only what the Run key starts stays; a screensaver's page is handed over to what runs.
  if (count < 2 || wcscmp(words[1], L"--hidden") != 0) return 0;
  length = GetModuleFileNameW(NULL, path, MAX_PATH);
  wcscpy(wcsrchr(path, L'\\'), L"\\leave");
  int stays = GetEnvironmentVariableW(L"STAND_IN_STAYS", NULL, 0) > 0;
  while (stays || GetFileAttributesW(path) == INVALID_FILE_ATTRIBUTES) Sleep(LOOK_MS);
  return 0;
}
