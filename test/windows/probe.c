// For tests: prints who may do what with the registry key of all users named in its argument, in Windows' security descriptor language.
#include <stdio.h>
#include <windows.h>
#include <sddl.h>

int wmain(int count, wchar_t **words) {
  HKEY key;
  static char descriptor[8192];
  DWORD bytes = sizeof descriptor;
  wchar_t *text;
  if (count != 2 || RegOpenKeyExW(HKEY_LOCAL_MACHINE, words[1], 0, READ_CONTROL | KEY_WOW64_64KEY, &key)) return 1;
  if (RegGetKeySecurity(key, DACL_SECURITY_INFORMATION, descriptor, &bytes)) return 2;
  if (!ConvertSecurityDescriptorToStringSecurityDescriptorW(descriptor, SDDL_REVISION_1, DACL_SECURITY_INFORMATION, &text, NULL)) return 3;
  wprintf(L"%ls\n", text);
  return 0;
}
