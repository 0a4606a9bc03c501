// For tests: what a screensaver shows. `preview.exe SCR` says how much of its picture is night and moon, drawn in memory, as wine shows no window of another
// process in one of its own; then whether it fills a small window, as in Windows' own settings, and how it ended when that went; and whether it has a
// window of its own on a desktop that is not the user's, and stays.
#define wWinMain screensaverMain
#include "../../installer/windows/screensaver.c"
#include <stdio.h>

enum { WIDTH = 152, HEIGHT = 112, WAIT_MS = 20000, STEP_MS = 50, STAYS_MS = 2000 };

static void say(const char *text) {
  DWORD written;
  WriteFile(GetStdHandle(STD_OUTPUT_HANDLE), text, strlen(text), &written, NULL);
}

static void picture(void) {
  BITMAPINFO kind = {.bmiHeader = {.biSize = sizeof kind.bmiHeader, .biWidth = WIDTH, .biHeight = HEIGHT, .biPlanes = 1, .biBitCount = 32}};
  void *bits;
  HDC to = CreateCompatibleDC(NULL);
  SelectObject(to, CreateDIBSection(to, &kind, DIB_RGB_COLORS, &bits, NULL, 0));
  RECT area = {0, 0, WIDTH, HEIGHT};
  int night = 0, moon = 0;
  for (unsigned place = 0; place < 5; place++) {
    FillRect(to, &area, CreateSolidBrush(NIGHT));
    drawMoon(to, area, place);
    for (int y = 0; y < HEIGHT; y++)
      for (int x = 0; x < WIDTH; x++) night += GetPixel(to, x, y) == NIGHT, moon += GetPixel(to, x, y) == MOON;
  }
  char line[80];
  sprintf(line, "night %d moon %d\n", night * 20 / (WIDTH * HEIGHT), moon * 20 / (WIDTH * HEIGHT));
  say(line);
}

static PROCESS_INFORMATION start(const wchar_t *program, const wchar_t *words, wchar_t *desktop) {
  wchar_t line[600];
  _snwprintf(line, 600, L"\"%ls\" %ls", program, words);
  STARTUPINFOW startup = {.cb = sizeof startup, .lpDesktop = desktop};
  PROCESS_INFORMATION process = {0};
  CreateProcessW(program, line, NULL, NULL, FALSE, 0, NULL, NULL, &startup, &process);
  return process;
}

static void inWindow(const wchar_t *program) {
  WNDCLASSW class = {.lpfnWndProc = DefWindowProcW, .lpszClassName = L"Preview"};
  RegisterClassW(&class);
  HWND window = CreateWindowExW(0, class.lpszClassName, L"", WS_POPUP | WS_VISIBLE | WS_CLIPCHILDREN, 10, 10, WIDTH, HEIGHT, NULL, NULL, NULL, NULL);
  wchar_t words[40];
  _snwprintf(words, 40, L"/p %llu", (unsigned long long)(ULONG_PTR)window);
  PROCESS_INFORMATION shown = start(program, words, NULL);
  RECT area = {0};
  for (ULONGLONG until = GetTickCount64() + WAIT_MS; GetTickCount64() < until && area.right == 0; Sleep(STEP_MS)) {
    MSG message;
    while (PeekMessageW(&message, NULL, 0, 0, PM_REMOVE)) DispatchMessageW(&message);
    HWND child = FindWindowExW(window, NULL, L"NightshiftMoon", NULL);
    if (child) GetClientRect(child, &area);
  }
  DestroyWindow(window);
  DWORD code = WaitForSingleObject(shown.hProcess, WAIT_MS);
  if (!code) GetExitCodeProcess(shown.hProcess, &code);
  char line[80];
  sprintf(line, "fills %ldx%ld ends %lu\n", area.right, area.bottom, (unsigned long)code);
  say(line);
}

static BOOL CALLBACK isMoon(HWND window, LPARAM found) {
  wchar_t class[40] = L"";
  GetClassNameW(window, class, 40);
  if (!wcscmp(class, L"NightshiftMoon")) *(HWND *)found = window;
  return TRUE;
}

static void onDesktop(const wchar_t *program) {
  static wchar_t name[] = L"Screen-saver";
  HDESK desktop = CreateDesktopW(name, NULL, NULL, 0, GENERIC_ALL, NULL);
  PROCESS_INFORMATION shown = start(program, L"/s", name);
  HWND found = NULL;
  for (ULONGLONG until = GetTickCount64() + WAIT_MS; GetTickCount64() < until && !found; Sleep(STEP_MS))
    EnumDesktopWindows(desktop, isMoon, (LPARAM)&found);
  say(!found ? "nothing\n" : WaitForSingleObject(shown.hProcess, STAYS_MS) == WAIT_TIMEOUT ? "stays\n" : "gone\n");
  TerminateProcess(shown.hProcess, 0);
}

int wmain(int count, wchar_t **words) {
  if (count != 2) return 1;
  picture();
  inWindow(words[1]);
  onDesktop(words[1]);
  return 0;
}
