// Nightshift.scr: what Windows starts as a screensaver. `/s` shows the app's screensaver and stays until somebody is back, as Windows
// takes the end of this program for the end of the screensaver; `/c` or nothing opens the app's settings; `/p HWND` fills the small
// picture in Windows' own settings. The app is found by the registry values of the installation. Ends with 1 when there is no app.
#define WINVER 0x0601
#include <stdlib.h>
#include <wchar.h>
#include <windows.h>

enum { LOOK_MS = 100 };
static const COLORREF NIGHT = RGB(0x0b, 0x10, 0x26);

static int findApp(HKEY root, wchar_t *program, DWORD bytes) {
  if (RegGetValueW(root, L"Software\\Nightshift", L"InstallLocation", RRF_RT_REG_SZ | RRF_SUBKEY_WOW6464KEY, NULL, program, &bytes))
    return 0;
  wcscat(program, L"\\Nightshift.exe");
  return GetFileAttributesW(program) != INVALID_FILE_ATTRIBUTES;
}

static int startApp(const wchar_t *what) {
  wchar_t program[MAX_PATH + 20], line[MAX_PATH + 40];
  DWORD bytes = MAX_PATH * sizeof(wchar_t);
  if (!findApp(HKEY_CURRENT_USER, program, bytes) && !findApp(HKEY_LOCAL_MACHINE, program, bytes)) return 0;
  _snwprintf(line, MAX_PATH + 40, L"\"%ls\" %ls", program, what);
  STARTUPINFOW startup = {.cb = sizeof startup};
  PROCESS_INFORMATION process;
  if (!CreateProcessW(program, line, NULL, NULL, FALSE, 0, NULL, NULL, &startup, &process)) return 0;
  CloseHandle(process.hThread);
  CloseHandle(process.hProcess);
  return 1;
}

static DWORD lastInput(void) {
  LASTINPUTINFO info = {.cbSize = sizeof info};
  return GetLastInputInfo(&info) ? info.dwTime : 0;
}

static int show(void) {
  DWORD before = lastInput();
  if (!startApp(L"/s")) return 1;
  while (lastInput() == before) Sleep(LOOK_MS);
  return 0;
}

static LRESULT CALLBACK windowDoes(HWND window, UINT message, WPARAM first, LPARAM second) {
  if (message == WM_DESTROY) PostQuitMessage(0);
  return DefWindowProcW(window, message, first, second);
}

static int preview(HWND parent) {
  RECT area;
  if (!IsWindow(parent) || !GetClientRect(parent, &area)) return 1;
  WNDCLASSW kind = {.lpfnWndProc = windowDoes, .lpszClassName = L"NightshiftPreview", .hbrBackground = CreateSolidBrush(NIGHT)};
  if (!RegisterClassW(&kind)) return 1;
  if (!CreateWindowW(kind.lpszClassName, L"", WS_CHILD | WS_VISIBLE, 0, 0, area.right, area.bottom, parent, NULL, NULL, NULL)) return 1;
  MSG message;
  while (GetMessageW(&message, NULL, 0, 0) > 0) DispatchMessageW(&message);
  return 0;
}

int WINAPI wWinMain(HINSTANCE instance, HINSTANCE none, PWSTR line, int how) {
  (void)instance, (void)none, (void)how;
  while (*line == L' ') line++;
  wchar_t what = line[0] == L'/' || line[0] == L'-' ? towlower(line[1]) : 0;
  if (what == L's') return show();
  if (what != L'p') return startApp(L"/c") ? 0 : 1;
  const wchar_t *number = line + 2 + wcsspn(line + 2, L": ");
  return preview((HWND)(ULONG_PTR)_wcstoui64(number, NULL, 10));
}
