// Nightshift.scr: what Windows starts as a screensaver. `/s` shows the app's screensaver and stays until somebody is back, as Windows
// takes the end of this program for the end of the screensaver; where Windows keeps screensavers apart from the user's desktop, as it does when they
// ask for the password, the app cannot be seen, and this shows a moon itself. `/c` or nothing opens the app's settings; `/p HWND` shows the moon in the
// small picture of Windows' own settings. The app is found by the registry values of the installation. Ends with 1 when there is no app.
#define WINVER 0x0601
#include <stdlib.h>
#include <wchar.h>
#include <windows.h>

enum { LOOK_MS = 100, LOOK = 1, SETTLE_LOOKS = 5, ELSEWHERE_MS = 30000, FINE = 4, MAX_MOON = 300 };
// As the tray's moon while nothing computes: whether something does is not known here.
static const COLORREF NIGHT = RGB(0x0b, 0x10, 0x26), MOON = RGB(0xf5, 0xbd, 0x2b);
static wchar_t appsDesktop[] = L"WinSta0\\Default";

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
  // Wherever this one runs, the app is the user's.
  STARTUPINFOW startup = {.cb = sizeof startup, .lpDesktop = appsDesktop};
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

static void disc(HDC to, COLORREF colour, double x, double y, double radius) {
  SetDCPenColor(to, colour);
  SetDCBrushColor(to, colour);
  Ellipse(to, (int)(x - radius), (int)(y - radius), (int)(x + radius), (int)(y + radius));
}

// A crescent in one of several places of the area, as screens do not like to show the same for ever; drawn larger first, for soft edges.
static void drawMoon(HDC to, RECT area, unsigned place) {
  int width = area.right - area.left, height = area.bottom - area.top, least = width < height ? width : height;
  int side = least * 2 / 3 < MAX_MOON ? least * 2 / 3 : MAX_MOON;
  int x = area.left + (width - side) * (2 + place * 3 % 5) / 8, y = area.top + (height - side) * (2 + place * 2 % 5) / 8;
  HDC fine = CreateCompatibleDC(to);
  HBITMAP picture = CreateCompatibleBitmap(to, side * FINE, side * FINE);
  if (!fine || !picture) return;
  HGDIOBJ before = SelectObject(fine, picture);
  SelectObject(fine, GetStockObject(DC_PEN));
  SelectObject(fine, GetStockObject(DC_BRUSH));
  double size = side * FINE;
  RECT all = {0, 0, side * FINE, side * FINE};
  SetDCBrushColor(fine, NIGHT);
  FillRect(fine, &all, GetStockObject(DC_BRUSH));
  disc(fine, MOON, size * 0.46, size * 0.54, size * 0.4);
  disc(fine, NIGHT, size * 0.62, size * 0.4, size * 0.33);
  SetStretchBltMode(to, HALFTONE);
  StretchBlt(to, x, y, side, side, fine, 0, 0, side * FINE, side * FINE, SRCCOPY);
  SelectObject(fine, before);
  DeleteObject(picture);
  DeleteDC(fine);
}

// Of one window at most: its parent, or none, when it is over all screens; the input before it; how long it has been there.
static HWND within;
static DWORD inputBefore;
static unsigned looks;

static BOOL CALLBACK drawOn(HMONITOR screen, HDC to, LPRECT area, LPARAM nothing) {
  (void)screen, (void)nothing;
  drawMoon(to, *area, looks / (ELSEWHERE_MS / LOOK_MS));
  return TRUE;
}

static LRESULT CALLBACK windowDoes(HWND window, UINT message, WPARAM first, LPARAM second) {
  PAINTSTRUCT paint;
  RECT area, parents;
  switch (message) {
  case WM_PAINT:
    BeginPaint(window, &paint);
    GetClientRect(window, &area);
    FillRect(paint.hdc, &area, (HBRUSH)GetClassLongPtrW(window, GCLP_HBRBACKGROUND));
    if (within) drawMoon(paint.hdc, area, 1);
    else EnumDisplayMonitors(paint.hdc, NULL, drawOn, 0);
    EndPaint(window, &paint);
    return 0;
  case WM_TIMER:
    // Windows tells of the pointer when a window comes under it.
    if (looks++ < SETTLE_LOOKS && !within) inputBefore = lastInput();
    if (within ? !IsWindow(within) : lastInput() != inputBefore) DestroyWindow(window);
    else if (!within && looks % (ELSEWHERE_MS / LOOK_MS) == 0) InvalidateRect(window, NULL, FALSE);
    else if (within && GetClientRect(window, &area) && GetClientRect(within, &parents) && !EqualRect(&area, &parents)) {
      SetWindowPos(window, NULL, 0, 0, parents.right, parents.bottom, SWP_NOZORDER | SWP_NOACTIVATE);
      InvalidateRect(window, NULL, FALSE);
    }
    return 0;
  case WM_SETCURSOR:
    if (within) break;
    SetCursor(NULL);
    return TRUE;
  case WM_DESTROY:
    PostQuitMessage(0);
    return 0;
  }
  return DefWindowProcW(window, message, first, second);
}

static int showMoon(DWORD style, DWORD more, RECT place) {
  WNDCLASSW kind = {.lpfnWndProc = windowDoes, .lpszClassName = L"NightshiftMoon", .hbrBackground = CreateSolidBrush(NIGHT)};
  if (!RegisterClassW(&kind)) return 1;
  int width = place.right - place.left, height = place.bottom - place.top;
  HWND window = CreateWindowExW(more, kind.lpszClassName, L"", style | WS_VISIBLE, place.left, place.top, width, height, within, NULL, NULL, NULL);
  if (!window || !SetTimer(window, LOOK, LOOK_MS, NULL)) return 1;
  MSG message;
  while (GetMessageW(&message, NULL, 0, 0) > 0) DispatchMessageW(&message);
  return 0;
}

static int preview(HWND parent) {
  RECT area;
  if (!IsWindow(parent) || !GetClientRect(parent, &area)) return 1;
  within = parent;
  return showMoon(WS_CHILD, 0, area);
}

// The app's windows are on the user's desktop.
static int canSeeApp(void) {
  wchar_t name[64] = L"";
  HDESK desktop = GetThreadDesktop(GetCurrentThreadId());
  return !GetUserObjectInformationW(desktop, UOI_NAME, name, sizeof name, NULL) || !_wcsicmp(name, L"Default");
}

static int show(void) {
  if (!canSeeApp()) {
    RECT all = {.left = GetSystemMetrics(SM_XVIRTUALSCREEN), .top = GetSystemMetrics(SM_YVIRTUALSCREEN)};
    all.right = all.left + GetSystemMetrics(SM_CXVIRTUALSCREEN);
    all.bottom = all.top + GetSystemMetrics(SM_CYVIRTUALSCREEN);
    return showMoon(WS_POPUP, WS_EX_TOPMOST | WS_EX_TOOLWINDOW, all);
  }
  inputBefore = lastInput();
  if (!startApp(L"/s")) return 1;
  while (lastInput() == inputBefore) Sleep(LOOK_MS);
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
