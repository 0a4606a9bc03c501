// Has every running Nightshift of an installation leave, whoever's session it runs in: `leave.exe FOLDER SECONDS`. Writes the file
// `leave` into the folder, which the app watches, and waits until nobody runs Nightshift.exe from there any more. Setup and the MSI use
// it. Ends with 0 when nobody does; with 12 when somebody still does after that time, the file being gone again; with 10 when called wrongly.
#include <stdlib.h>
#include <wchar.h>
#include <windows.h>

enum { GONE = 0, WRONGLY_CALLED = 10, STILL_RUNNING = 12, LOOK_MS = 100, MAX_SECONDS = 600 };

// A program that runs cannot be opened for writing.
static int isRunning(const wchar_t *program) {
  HANDLE file = CreateFileW(program, GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL, OPEN_EXISTING, 0, NULL);
  if (file == INVALID_HANDLE_VALUE) {
    DWORD why = GetLastError();
    return why != ERROR_FILE_NOT_FOUND && why != ERROR_PATH_NOT_FOUND;
  }
  CloseHandle(file);
  return 0;
}

int wmain(int count, wchar_t **words) {
  wchar_t folder[MAX_PATH], program[MAX_PATH + 20], owner[MAX_PATH + 20], leave[MAX_PATH + 20];
  if (count != 3 || wcslen(words[1]) >= MAX_PATH) return WRONGLY_CALLED;
  wcscpy(folder, words[1]);
  // A folder may come with a backslash at its end.
  for (size_t end = wcslen(folder); end > 0 && folder[end - 1] == L'\\'; end--) folder[end - 1] = 0;
  int seconds = _wtoi(words[2]);
  if (seconds < 0 || seconds > MAX_SECONDS) return WRONGLY_CALLED;
  _snwprintf(program, MAX_PATH + 20, L"%ls\\Nightshift.exe", folder);
  _snwprintf(leave, MAX_PATH + 20, L"%ls\\leave", folder);
  // Ends a moment after the app that has started it.
  _snwprintf(owner, MAX_PATH + 20, L"%ls\\resources\\owner.exe", folder);
  if (!isRunning(program) && !isRunning(owner)) return GONE;

  HANDLE file = CreateFileW(leave, GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_DELETE, NULL, CREATE_ALWAYS, 0, NULL);
  if (file == INVALID_HANDLE_VALUE) return STILL_RUNNING;
  CloseHandle(file);
  ULONGLONG until = GetTickCount64() + seconds * 1000ULL;
  int running;
  while ((running = isRunning(program) || isRunning(owner)) && GetTickCount64() < until) Sleep(LOOK_MS);
  DeleteFileW(leave);
  return running ? STILL_RUNNING : GONE;
}
