// For tests: a window in front of all others. `window.exe full` fills the screen, `window.exe framed` has a frame and is as large. Prints its process's
// id when it is there, and ends with its input. `window.exe ends-session` tells owner.exe what Windows tells when a session ends, and waits as it does.
#include <stdio.h>
#include <windows.h>

static DWORD WINAPI await(void *nothing) {
  (void)nothing;
  getchar();
  ExitProcess(0);
}

int wmain(int count, wchar_t **words) {
  if (count != 2) return 1;
  HWND owner = FindWindowW(L"NightshiftOwner", NULL);
  if (!wcscmp(words[1], L"ends-session")) {
    if (!owner || !SendMessageW(owner, WM_QUERYENDSESSION, 0, 0)) return 1;
    SendMessageW(owner, WM_ENDSESSION, TRUE, 0);
  }
  WNDCLASSW class = {.lpfnWndProc = DefWindowProcW, .hInstance = GetModuleHandleW(NULL), .lpszClassName = L"Window"};
  RegisterClassW(&class);
  DWORD style = wcscmp(words[1], L"full") ? WS_OVERLAPPEDWINDOW : WS_POPUP;
  int width = GetSystemMetrics(SM_CXSCREEN), height = GetSystemMetrics(SM_CYSCREEN);
  HWND window = CreateWindowExW(0, class.lpszClassName, L"Window", style | WS_VISIBLE, 0, 0, width, height, NULL, NULL, class.hInstance, NULL);
  SetForegroundWindow(window);
  char line[40];
  DWORD written;
  WriteFile(GetStdHandle(STD_OUTPUT_HANDLE), line, sprintf(line, "%lu\n", (unsigned long)GetCurrentProcessId()), &written, NULL);
  CreateThread(NULL, 0, await, NULL, 0, NULL);
  MSG message;
  while (GetMessageW(&message, NULL, 0, 0) > 0) DispatchMessageW(&message);
  return 0;
}
