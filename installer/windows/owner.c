// Says what Windows tells of the person at this PC, for an agent that has no window of its own: `owner.exe [PID ...]`. A line for each change:
//   input MS                                        there was input that long ago; looked at every 100 ms, and said again every two seconds
//   screen locked=0 saver=0 off=0 full=0 remote=0 other=0   the session, its screen saver and display, whether something fills a screen, whether it is used
//                                                            from elsewhere, whether another user's session is in front of it
//   ending 1                                        the PC goes to sleep or the session ends; waits a little for a line of input. "ending 0": not any more
// Windows of the processes named do not fill a screen. Ends when its input does.
// `owner.exe lower PID` is another errand: disks and memory serve that process after all others, which Node cannot ask for. Ends with 0 when Windows
// grants both, 1 when there is no such process of this user, and else 2 for the disks and 4 for memory, added.
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <windows.h>
#include <shellapi.h>
#include <wtsapi32.h>

enum { LOOK_MS = 100, SCREEN_MS = 1000, AGAIN_MS = 2000, SLEEP_WAIT_MS = 1800, END_WAIT_MS = 4000, MAX_OWN = 8, AHEAD_MS = 1000, LOOK = 1 };

// GUID_SESSION_DISPLAY_STATUS, which MinGW-w64's headers do not all have.
static const GUID DISPLAY_STATUS = {0x2b84c20e, 0xad23, 0x4ddf, {0x93, 0xdb, 0x05, 0xff, 0xbd, 0x7e, 0xfc, 0xa5}};

static HANDLE cleared;
static DWORD own[MAX_OWN];
static int ownCount;
static int locked, displayOff;

static void say(const char *format, ...) {
  char line[200];
  va_list values;
  va_start(values, format);
  int length = vsnprintf(line, sizeof line - 1, format, values);
  va_end(values);
  line[length++] = '\n';
  DWORD written;
  if (!WriteFile(GetStdHandle(STD_OUTPUT_HANDLE), line, length, &written, NULL)) ExitProcess(0);
}

static DWORD WINAPI await(void *nothing) {
  char byte;
  DWORD read;
  (void)nothing;
  while (ReadFile(GetStdHandle(STD_INPUT_HANDLE), &byte, 1, &read, NULL) && read == 1) SetEvent(cleared);
  ExitProcess(0);
}

static void lookAtInput(int again) {
  static DWORD last;
  LASTINPUTINFO info = {sizeof info, 0};
  if (!GetLastInputInfo(&info) || (!again && info.dwTime == last)) return;
  last = info.dwTime;
  // Both count milliseconds since the start, modulo 2^32; the input's clock may be a little ahead.
  DWORD ago = GetTickCount() - info.dwTime;
  say("input %lu", (unsigned long)(ago > 0xffffffff - AHEAD_MS ? 0 : ago));
}

// A window without a frame that covers its whole screen, and is not the desktop itself; and what Windows says of games and presentations.
static int isFull(void) {
  HWND window = GetForegroundWindow();
  DWORD process = 0;
  if (window) GetWindowThreadProcessId(window, &process);
  for (int at = 0; at < ownCount; at++)
    if (own[at] == process) return 0;
  QUERY_USER_NOTIFICATION_STATE state;
  if (SUCCEEDED(SHQueryUserNotificationState(&state)) &&
      (state == QUNS_BUSY || state == QUNS_RUNNING_D3D_FULL_SCREEN || state == QUNS_PRESENTATION_MODE))
    return 1;
  if (!window || window == GetDesktopWindow() || window == GetShellWindow()) return 0;
  wchar_t class[64] = L"";
  GetClassNameW(window, class, 64);
  if (!wcscmp(class, L"Progman") || !wcscmp(class, L"WorkerW") || !wcscmp(class, L"WindowsScreenSaverClass")) return 0;
  if ((GetWindowLongW(window, GWL_STYLE) & WS_CAPTION) == WS_CAPTION || !IsWindowVisible(window)) return 0;
  MONITORINFO screen = {.cbSize = sizeof screen};
  RECT place;
  return GetWindowRect(window, &place) && GetMonitorInfoW(MonitorFromWindow(window, MONITOR_DEFAULTTONEAREST), &screen) &&
         place.left <= screen.rcMonitor.left && place.top <= screen.rcMonitor.top && place.right >= screen.rcMonitor.right &&
         place.bottom >= screen.rcMonitor.bottom;
}

// A session that somebody has left without closing it stays a remote one, but nobody is there.
static int isRemote(void) {
  if (!GetSystemMetrics(SM_REMOTESESSION)) return 0;
  WTS_CONNECTSTATE_CLASS *state = NULL;
  DWORD bytes;
  if (!WTSQuerySessionInformationW(WTS_CURRENT_SERVER_HANDLE, WTS_CURRENT_SESSION, WTSConnectState, (LPWSTR *)&state, &bytes)) return 1;
  int is = *state != WTSDisconnected;
  WTSFreeMemory(state);
  return is;
}

// Somebody else is logged in at a screen, here or from elsewhere: what is typed there is not heard here.
static int isOther(void) {
  WTS_SESSION_INFOW *sessions = NULL;
  DWORD count = 0, own = 0;
  if (!ProcessIdToSessionId(GetCurrentProcessId(), &own)) return 0;
  if (!WTSEnumerateSessionsW(WTS_CURRENT_SERVER_HANDLE, 0, 1, &sessions, &count)) return 0;
  int is = 0;
  for (DWORD at = 0; at < count; at++)
    if (sessions[at].State == WTSActive && sessions[at].SessionId != own) is = 1;
  WTSFreeMemory(sessions);
  return is;
}

static void lookAtScreen(void) {
  static int before = -1;
  BOOL saver = FALSE;
  SystemParametersInfoW(SPI_GETSCREENSAVERRUNNING, 0, &saver, 0);
  int remote = isRemote(), full = !saver && !locked && isFull();
  int other = isOther();
  int now = locked | (saver != 0) << 1 | displayOff << 2 | full << 3 | remote << 4 | other << 5;
  if (now == before) return;
  before = now;
  say("screen locked=%d saver=%d off=%d full=%d remote=%d other=%d", locked, saver != 0, displayOff, full, remote, other);
}

// At first; later Windows says so. A locked session's input goes to a desktop that is not ours to open.
static int isLocked(void) {
  HDESK desktop = OpenInputDesktop(0, FALSE, DESKTOP_READOBJECTS);
  if (desktop) CloseDesktop(desktop);
  return !desktop;
}

static void ending(DWORD waitMs) {
  ResetEvent(cleared);
  say("ending 1");
  WaitForSingleObject(cleared, waitMs);
}

static LRESULT CALLBACK hear(HWND window, UINT message, WPARAM what, LPARAM more) {
  static int looks;
  switch (message) {
  case WM_TIMER:
    lookAtInput(looks % (AGAIN_MS / LOOK_MS) == 0);
    if (looks++ % (SCREEN_MS / LOOK_MS) == 0) lookAtScreen();
    return 0;
  case WM_WTSSESSION_CHANGE:
    if (what == WTS_SESSION_LOCK || what == WTS_SESSION_UNLOCK) locked = what == WTS_SESSION_LOCK;
    lookAtScreen();
    return 0;
  case WM_POWERBROADCAST:
    if (what == PBT_APMSUSPEND) ending(SLEEP_WAIT_MS);
    if (what == PBT_APMRESUMEAUTOMATIC) say("ending 0");
    if (what == PBT_POWERSETTINGCHANGE && IsEqualGUID(&((POWERBROADCAST_SETTING *)more)->PowerSetting, &DISPLAY_STATUS)) {
      displayOff = *(DWORD *)((POWERBROADCAST_SETTING *)more)->Data == 0;
      lookAtScreen();
    }
    return TRUE;
  case WM_QUERYENDSESSION:
    say("ending 1");
    return TRUE;
  case WM_ENDSESSION:
    if (what) ending(END_WAIT_MS);
    else say("ending 0"); // somebody else did not let it
    return 0;
  }
  return DefWindowProcW(window, message, what, more);
}

static int lower(DWORD process) {
  enum { IO_PRIORITY = 33, IO_VERY_LOW = 0, MEMORY_LOW = 2 };
  typedef LONG(WINAPI * SetNative)(HANDLE, int, void *, ULONG);
  typedef BOOL(WINAPI * SetInformation)(HANDLE, int, void *, DWORD);
  SetNative setNative = (SetNative)(void *)GetProcAddress(GetModuleHandleW(L"ntdll"), "NtSetInformationProcess");
  SetInformation setInformation = (SetInformation)(void *)GetProcAddress(GetModuleHandleW(L"kernel32"), "SetProcessInformation");
  HANDLE it = OpenProcess(PROCESS_SET_INFORMATION, FALSE, process);
  if (!it) return 1;
  ULONG io = IO_VERY_LOW, memory = MEMORY_LOW;
  // As background mode does, but for memory: its pages are the first to go only before those of ordinary programs, as it must hear when to stop.
  int disks = setNative && setNative(it, IO_PRIORITY, &io, sizeof io) >= 0;
  int pages = setInformation && setInformation(it, 0 /* ProcessMemoryPriority */, &memory, sizeof memory);
  return (disks ? 0 : 2) + (pages ? 0 : 4);
}

int wmain(int count, wchar_t **words) {
  if (count == 3 && !wcscmp(words[1], L"lower")) return lower(wcstoul(words[2], NULL, 10));
  for (int at = 1; at < count && ownCount < MAX_OWN; at++) own[ownCount++] = wcstoul(words[at], NULL, 10);
  cleared = CreateEventW(NULL, TRUE, FALSE, NULL);
  if (!CreateThread(NULL, 0, await, NULL, 0, NULL)) return 1;
  // Windows tells of the session's end only to windows that could be seen.
  WNDCLASSW class = {.lpfnWndProc = hear, .hInstance = GetModuleHandleW(NULL), .lpszClassName = L"NightshiftOwner"};
  if (!RegisterClassW(&class)) return 1;
  HWND window = CreateWindowExW(WS_EX_TOOLWINDOW, class.lpszClassName, L"Nightshift", WS_POPUP, 0, 0, 0, 0, NULL, NULL, class.hInstance, NULL);
  if (!window) return 1;
  locked = isLocked();
  WTSRegisterSessionNotification(window, NOTIFY_FOR_THIS_SESSION);
  RegisterPowerSettingNotification(window, &DISPLAY_STATUS, DEVICE_NOTIFY_WINDOW_HANDLE);
  if (!SetTimer(window, LOOK, LOOK_MS, NULL)) return 1;
  MSG message;
  while (GetMessageW(&message, NULL, 0, 0) > 0) DispatchMessageW(&message);
  return 0;
}
