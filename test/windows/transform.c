// For tests: writes a transform for an MSI that adds rows to its table Property, as far as Windows Installer reads one to apply it:
// `transform.exe FILE NAME VALUE...`. ASCII only.
#define COBJMACROS
#include <initguid.h>
#include <stdio.h>
#include <wchar.h>
#include <windows.h>
#include <objbase.h>

DEFINE_GUID(TRANSFORM, 0x000c1082, 0, 0, 0xc0, 0, 0, 0, 0, 0, 0, 0x46);
enum { TABLE = 0x4840, PAIR = 0x3800, SINGLE = 0x4800, ADD = 1, COLUMNS = 2, CODEPAGE = 1252 };
static const wchar_t CODED[] = L"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz._";

// A table's name as that of a stream: two letters in one.
static void writeTable(IStorage *storage, const wchar_t *name, const void *bytes, size_t length) {
  wchar_t coded[32] = {TABLE};
  size_t at = 1;
  for (const wchar_t *letter = name; *letter; at++) {
    int first = wcschr(CODED, letter[0]) - CODED;
    coded[at] = letter[1] ? PAIR + first + ((wcschr(CODED, letter[1]) - CODED) << 6) : SINGLE + first;
    letter += letter[1] ? 2 : 1;
  }
  IStream *stream;
  if (IStorage_CreateStream(storage, coded, STGM_CREATE | STGM_WRITE | STGM_SHARE_EXCLUSIVE, 0, 0, &stream)) ExitProcess(2);
  IStream_Write(stream, bytes, length, NULL);
  IStream_Release(stream);
}

int wmain(int count, wchar_t **words) {
  IStorage *storage;
  if (count < 4 || StgCreateDocfile(words[1], STGM_CREATE | STGM_READWRITE | STGM_SHARE_EXCLUSIVE, 0, &storage)) return 1;
  IStorage_SetClass(storage, &TRANSFORM);
  // Texts are numbered from 1: of each the length and how often it is used, behind one another.
  WORD pool[64] = {CODEPAGE, 0}, rows[64];
  char data[4096] = "";
  size_t row = 0;
  for (int text = 1; text <= count - 2; text++) {
    pool[2 * text] = sprintf(data + strlen(data), "%ls", words[text + 1]);
    pool[2 * text + 1] = 1;
    if (text % 2) rows[row++] = ADD + (COLUMNS << 8);
    rows[row++] = text;
  }
  writeTable(storage, L"_StringPool", pool, 4 * (count - 1));
  writeTable(storage, L"_StringData", data, strlen(data));
  writeTable(storage, L"Property", rows, 2 * row);
  return IStorage_Commit(storage, STGC_DEFAULT) || IStorage_Release(storage) ? 3 : 0;
}
