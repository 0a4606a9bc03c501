; Setup.exe and the uninstaller, for all users of a PC and for one. What is installed is in contents.nsh, which contents.ts makes.
; Only NSIS's own plugins. Everything is checked and unpacked aside before anything is changed; what fails after that is undone.
; docs/DEPLOYMENT.md has the parameters and exit codes.
!if /FileExists "${NSISDIR}/Stubs/zlib-amd64-unicode"
  Target amd64-unicode
!endif
!include LogicLib.nsh
!include MUI2.nsh
!include FileFunc.nsh
!include WordFunc.nsh
!include x64.nsh

!define KEY "Software\Nightshift"
!define UNINSTALL_KEY "Software\Microsoft\Windows\CurrentVersion\Uninstall\Nightshift"
!define PROFILES "Software\Microsoft\Windows NT\CurrentVersion\ProfileList"
!define UNINSTALLER "Uninstall Nightshift.exe"
!define LETTERS "abcdefghijklmnopqrstuvwxyz0123456789_-"
!define MAX_WAIT_S 600
; What is not given keeps what an earlier installation was told.
!define KEEP "*"
; Beside the folder while it is replaced; nobody else's are called so.
!define NEW ".nightshift-new"
!define OLD ".nightshift-old"

Name "${PRODUCT_NAME}"
BrandingText "${PRODUCT_NAME} ${VERSION}"
InstallDir ""
RequestExecutionLevel highest
ManifestSupportedOS all
SetOverwrite try
ShowInstDetails nevershow
ShowUninstDetails nevershow

Var AllUsers ; 1, 0; empty: not said
Var Join
Var Pool
Var Mode
Var Tray
Var WaitS
Var Purge
Var Given ; the folder on the command line
Var Made ; the topmost folder above the installation that Setup made; empty: none
Var OldMade
Var OldFolder ; of the installation there is; empty: none
Var Adopted ; 1: it was not registered
Var OldVersion
Var Staged
Var Swapped ; 1: the new folder is in place
Var Run ; 1: start the app when it is over, whether it came to its end or not
Var MayBeOlder ; 1: an older version in place of a newer one is meant
Var Rest ; of the command line
Var Word
Var HasWord

!insertmacro MUI_PAGE_WELCOME
!insertmacro MUI_PAGE_DIRECTORY
!insertmacro MUI_PAGE_INSTFILES
!define MUI_FINISHPAGE_RUN "$INSTDIR\Nightshift.exe"
!insertmacro MUI_PAGE_FINISH
!insertmacro MUI_UNPAGE_CONFIRM
!insertmacro MUI_UNPAGE_INSTFILES
!insertmacro MUI_LANGUAGE English
!insertmacro MUI_LANGUAGE SimpChinese

LangString badParameter ${LANG_ENGLISH} "Setup does not understand"
LangString badParameter ${LANG_SIMPCHINESE} "安装程序无法识别"
LangString downgrade ${LANG_ENGLISH} "A newer Nightshift is installed:"
LangString downgrade ${LANG_SIMPCHINESE} "已安装更新的 Nightshift："
LangString stillRunning ${LANG_ENGLISH} "Nightshift is running and did not quit. Nothing was changed."
LangString stillRunning ${LANG_SIMPCHINESE} "Nightshift 正在运行且未能退出。未作任何更改。"
LangString noRights ${LANG_ENGLISH} "Only an administrator can do this for all users."
LangString noRights ${LANG_SIMPCHINESE} "只有管理员才能为所有用户执行此操作。"
LangString cannotWrite ${LANG_ENGLISH} "Setup could not write everything. What was there before is there again."
LangString cannotWrite ${LANG_SIMPCHINESE} "安装程序未能写入全部内容，已恢复原状。"
LangString cannotRemove ${LANG_ENGLISH} "Not everything could be removed."
LangString cannotRemove ${LANG_SIMPCHINESE} "未能全部删除。"
LangString badSystem ${LANG_ENGLISH} "Nightshift needs 64-bit Windows."
LangString badSystem ${LANG_SIMPCHINESE} "Nightshift 需要 64 位 Windows。"
LangString otherInstaller ${LANG_ENGLISH} "Nightshift was installed by its MSI package: use that."
LangString otherInstaller ${LANG_SIMPCHINESE} "Nightshift 由 MSI 安装包安装，请使用该安装包。"
LangString installedForAll ${LANG_ENGLISH} "Nightshift is installed for all users of this PC."
LangString installedForAll ${LANG_SIMPCHINESE} "Nightshift 已为这台电脑的所有用户安装。"
LangString busy ${LANG_ENGLISH} "Setup is running already."
LangString busy ${LANG_SIMPCHINESE} "安装程序已在运行。"

!macro Fail code text
  SetErrorLevel ${code}
  MessageBox MB_OK|MB_ICONSTOP `${text}` /SD IDOK
  Quit
!macroend

!macro Functions un
  ; The next word of $Rest into $Word, without its quotes; $HasWord is 0 when there is none. `/` in values means nothing.
  Function ${un}NextWord
    Push $0
    Push $1
    StrCpy $Word ""
    StrCpy $HasWord 0
    StrCpy $1 0 ; within quotes
    ${Do}
      StrCpy $0 $Rest 1
      ${If} $0 == ""
        ${ExitDo}
      ${EndIf}
      StrCpy $Rest $Rest "" 1
      ${If} $0 == '"'
        IntOp $1 1 - $1
        StrCpy $HasWord 1
      ${ElseIf} $0 == " "
      ${AndIf} $1 == 0
        ${If} $HasWord == 1
          ${ExitDo}
        ${EndIf}
      ${Else}
        StrCpy $Word "$Word$0"
        StrCpy $HasWord 1
      ${EndIf}
    ${Loop}
    Pop $1
    Pop $0
  FunctionEnd

  ; NSIS knows /S only, and only up to so many letters of a command line: whoever writes /s is not there to close a window.
  Function ${un}ReadSilence
    StrCpy $Rest $CMDLINE
    StrLen $0 $Rest
    IntOp $0 $0 + 1
    Call ${un}NextWord
    ${Do}
      Call ${un}NextWord
      ${If} $HasWord == 0
        ${ExitDo}
      ${EndIf}
      ${If} $Word == "/S"
        SetSilent silent
      ${EndIf}
    ${Loop}
    ${If} $0 >= ${NSIS_MAX_STRLEN}
      StrCpy $Word "..."
      Call ${un}BadParameter
    ${EndIf}
  FunctionEnd

  ; Folders above $0 that Setup made, as far as nothing else is in them; $1: the topmost.
  Function ${un}RemoveParents
    ${If} $1 == ""
      Return
    ${EndIf}
    ${Do}
      ${GetParent} $0 $0
      ${If} $0 == ""
        ${ExitDo}
      ${EndIf}
      ClearErrors
      RMDir $0
      ${If} ${Errors}
        ${ExitDo}
      ${EndIf}
    ${LoopUntil} $0 == $1
    ClearErrors
  FunctionEnd

  ; Every letter of $0 is one of $1, whatever its case, and there are at least $2 and at most $3: sets $4 to 1, else to 0.
  Function ${un}IsMadeOf
    StrLen $5 $0
    StrCpy $4 0
    ${If} $5 < $2
    ${OrIf} $5 > $3
      Return
    ${EndIf}
    ${For} $6 1 $5
      IntOp $7 $6 - 1
      StrCpy $7 $0 1 $7
      StrCpy $8 $1
      ${Do}
        StrCpy $9 $8 1
        ${If} $9 == ""
          Return
        ${EndIf}
        StrCpy $8 $8 "" 1
      ${LoopUntil} $9 == $7
    ${Next}
    StrCpy $4 1
  FunctionEnd

  Function ${un}ReadWait
    StrCpy $0 $Word "" 6
    StrCpy $1 "0123456789"
    StrCpy $2 1
    StrCpy $3 3
    Call ${un}IsMadeOf
    ${If} $4 == 0
    ${OrIf} $0 > ${MAX_WAIT_S}
      Call ${un}BadParameter
    ${EndIf}
    StrCpy $WaitS $0
  FunctionEnd

  Function ${un}BadParameter
    !insertmacro Fail ${CODE_BAD_PARAMETER} "$(badParameter) $Word"
  FunctionEnd

  ; The system's Setup of this product runs once.
  Function ${un}OnlyOne
    System::Call 'kernel32::CreateMutexW(p 0, i 1, w "Global\NightshiftSetup") p .r0 ?e'
    Pop $1
    ; Another user's cannot be opened at all.
    ${If} $1 == 183
    ${OrIf} $0 == 0
      !insertmacro Fail ${CODE_BUSY} "$(busy)"
    ${EndIf}
  FunctionEnd

  Function ${un}UseContext
    ${If} $AllUsers == 1
      SetShellVarContext all
      UserInfo::GetAccountType
      Pop $0
      ${If} $0 != "Admin"
        !insertmacro Fail ${CODE_NO_RIGHTS} "$(noRights)"
      ${EndIf}
    ${Else}
      SetShellVarContext current
    ${EndIf}
  FunctionEnd

  ; What contents.ts says, and what only Setup writes, is gone after this.
  Function ${un}RemoveTraces
    !insertmacro RemoveValues
    DeleteRegKey SHCTX "${UNINSTALL_KEY}"
    Delete "$SMPROGRAMS\Nightshift.lnk"
    ${If} $AllUsers == 1
      ${DisableX64FSRedirection}
      Delete /REBOOTOK "$SYSDIR\Nightshift.scr"
      ${EnableX64FSRedirection}
    ${EndIf}
  FunctionEnd
!macroend
!insertmacro Functions ""
!insertmacro Functions "un."

; $0 is scheme://host#KEY.TOKEN as far as its form goes; the app reads it exactly. Sets $4 to 1, else to 0.
Function IsJoinLink
  StrCpy $4 0
  StrCpy $1 $0 13
  StrCpy $2 $0 14
  ${If} $1 != "nightshift://"
  ${AndIf} $2 != "nightshifts://"
    Return
  ${EndIf}
  Push $0
  StrCpy $1 "${LETTERS}.~:/#[]"
  StrCpy $2 80
  StrCpy $3 900
  Call IsMadeOf
  Pop $0
  ${If} $4 == 0
    Return
  ${EndIf}
  StrCpy $4 0
  ; behind the #
  ${Do}
    StrCpy $1 $0 1
    ${If} $1 == ""
      Return
    ${EndIf}
    StrCpy $0 $0 "" 1
  ${LoopUntil} $1 == "#"
  StrCpy $1 $0 1 43
  ${If} $1 != "."
    Return
  ${EndIf}
  StrCpy $R0 $0 "" 44
  StrCpy $0 $0 43
  StrCpy $1 "${LETTERS}"
  StrCpy $2 43
  StrCpy $3 43
  Call IsMadeOf
  ${If} $4 == 1
    StrCpy $0 $R0
    StrCpy $2 22
    StrCpy $3 86
    Call IsMadeOf
  ${EndIf}
FunctionEnd

; $0 is a letter or digit, then at most 31 letters, digits, blanks, dots, dashes and underscores; letters of other languages are for the coordinator
; to look at. Sets $4 to 1, else to 0.
Function IsPool
  StrCpy $4 0
  StrCpy $2 $0 1
  ${If} $2 == "_"
  ${OrIf} $2 == "-"
  ${OrIf} $2 == "."
  ${OrIf} $2 == " "
    Return
  ${EndIf}
  ; The rest by their codes: what is not ASCII counts as a letter.
  StrLen $5 $0
  ${If} $5 > 32
    Return
  ${EndIf}
  ${For} $6 1 $5
    IntOp $7 $6 - 1
    StrCpy $7 $0 1 $7
    System::Call '*(&w2 r7) p .r8'
    System::Call '*$8(&i2 .r9)'
    System::Free $8
    IntOp $9 $9 & 0xffff
    ${If} $9 < 128
      StrCpy $8 "${LETTERS}. "
      ${Do}
        StrCpy $9 $8 1
        ${If} $9 == ""
          Return
        ${EndIf}
        StrCpy $8 $8 "" 1
      ${LoopUntil} $9 == $7
    ${EndIf}
  ${Next}
  StrCpy $4 1
FunctionEnd

; $0 is one of MODES, which contents.ts tells with blanks between them. Sets $4 to 1, else to 0.
Function IsMode
  StrCpy $R2 $Rest
  StrCpy $R3 $Word
  StrCpy $Rest "${MODES}"
  StrCpy $4 0
  ${Do}
    Call NextWord
    ${If} $HasWord == 0
      ${ExitDo}
    ${EndIf}
    ${If} $Word == $0
      StrCpy $4 1
      StrCpy $Mode $Word ; in its usual case
    ${EndIf}
  ${Loop}
  StrCpy $Rest $R2
  StrCpy $Word $R3
FunctionEnd

Function ReadParameters
  StrCpy $Join "${KEEP}"
  StrCpy $Pool "${KEEP}"
  StrCpy $Mode "${KEEP}"
  StrCpy $Tray "${KEEP}"
  StrCpy $WaitS 30
  StrCpy $Run 0
  StrCpy $MayBeOlder 0
  StrCpy $Rest $CMDLINE
  Call NextWord ; Setup itself
  ${Do}
    Call NextWord
    ${If} $HasWord == 0
      ${ExitDo}
    ${EndIf}
    StrCpy $R1 $Word 6
    ${If} $R1 == "/JOIN="
      StrCpy $0 $Word "" 6
      StrCpy $Join $0
      ${If} $0 != ""
        Call IsJoinLink
        ${If} $4 == 0
          StrCpy $Word "/JOIN=..." ; the link is a secret
          Call BadParameter
        ${EndIf}
      ${EndIf}
    ${ElseIf} $R1 == "/POOL="
      StrCpy $0 $Word "" 6
      StrCpy $Pool $0
      ${If} $0 != ""
        Call IsPool
        ${If} $4 == 0
          Call BadParameter
        ${EndIf}
      ${EndIf}
    ${ElseIf} $R1 == "/MODE="
      StrCpy $Mode $Word "" 6
      ${If} $Mode != ""
        StrCpy $0 $Mode
        Call IsMode
        ${If} $4 == 0
          Call BadParameter
        ${EndIf}
      ${EndIf}
    ${ElseIf} $R1 == "/WAIT="
      Call ReadWait
    ${ElseIf} $Word == "/NOTRAY"
      StrCpy $Tray 0
    ${ElseIf} $Word == "/TRAY"
      StrCpy $Tray 1
    ${ElseIf} $Word == "/RUN"
      StrCpy $Run 1
    ${ElseIf} $Word == "/DOWNGRADE"
      StrCpy $MayBeOlder 1
    ${ElseIf} $Word == "/ALLUSERS"
      StrCpy $AllUsers 1
    ${ElseIf} $Word == "/CURRENTUSER"
      StrCpy $AllUsers 0
    ${ElseIf} $Word != "/S"
    ${AndIf} $Word != "/NCRC"
      Call BadParameter
    ${EndIf}
  ${Loop}
FunctionEnd

; NSIS takes no notice of a folder that it does not like.
Function CheckGiven
  StrCpy $Given $INSTDIR
  System::Call 'kernel32::GetCommandLineW() w .r0'
  ${Do}
    StrCpy $1 $0 4
    ${If} $1 == ""
      Return
    ${EndIf}
    StrCpy $0 $0 "" 1
  ${LoopUntil} $1 S== " /D="
  StrCpy $0 $0 "" 3
  ${If} $0 == $Given
  ${OrIf} $0 == "$Given\"
    Return
  ${EndIf}
  StrCpy $Word "/D=$0"
  Call BadParameter
FunctionEnd

; Who is meant when nobody says: where it is installed already; else all users, if that is allowed.
Function ChooseContext
  ${If} $AllUsers == ""
    ReadRegStr $0 HKLM "${KEY}" "InstallLocation"
    ReadRegStr $1 HKCU "${KEY}" "InstallLocation"
    UserInfo::GetAccountType
    Pop $2
    StrCpy $AllUsers 0
    ${If} $0 != ""
      StrCpy $AllUsers 1
    ${ElseIf} $1 == ""
    ${AndIf} $2 == "Admin"
      StrCpy $AllUsers 1
    ${EndIf}
  ${EndIf}
  Call UseContext
FunctionEnd

Function .onInit
  ${IfNot} ${RunningX64}
    !insertmacro Fail ${CODE_BAD_SYSTEM} "$(badSystem)"
  ${EndIf}
  SetRegView 64
  Call ReadSilence
  Call CheckGiven
  Call ReadParameters
  Call OnlyOne
  Call ChooseContext
  ReadRegStr $0 HKLM "${KEY}" "InstalledBy"
  ReadRegStr $1 SHCTX "${KEY}" "InstalledBy"
  ${If} $0 == "msi"
  ${AndIf} $1 != "setup"
    !insertmacro Fail ${CODE_OTHER_INSTALLER} "$(otherInstaller)"
  ${EndIf}
  ${If} $0 != ""
  ${AndIf} $1 == ""
    !insertmacro Fail ${CODE_OTHER_INSTALLER} "$(installedForAll)"
  ${EndIf}
  ReadRegStr $OldMade SHCTX "${KEY}" "Made"
  ReadRegStr $OldFolder SHCTX "${KEY}" "InstallLocation"
  ReadRegStr $OldVersion SHCTX "${KEY}" "Version"
  ${If} $OldVersion != ""
    ${VersionCompare} "${VERSION}" $OldVersion $0
    ${If} $0 == 2
    ${AndIf} $MayBeOlder == 0
      !insertmacro Fail ${CODE_DOWNGRADE} "$(downgrade) $OldVersion"
    ${EndIf}
  ${EndIf}
  ${If} $INSTDIR == ""
    ${If} $OldFolder != ""
      StrCpy $INSTDIR $OldFolder
    ${ElseIf} $AllUsers == 1
      StrCpy $INSTDIR "$PROGRAMFILES64\Nightshift"
    ${Else}
      StrCpy $INSTDIR "$LOCALAPPDATA\Programs\Nightshift"
    ${EndIf}
  ${EndIf}
  ${If} $OldFolder != ""
    ; Setup was ended between two steps.
    ${IfNot} ${FileExists} "$OldFolder\*.*"
    ${AndIf} ${FileExists} "$OldFolder${OLD}\*.*"
      Rename "$OldFolder${OLD}" $OldFolder
    ${EndIf}
    ; Registered, but no longer on the disk: nothing to keep.
    ${IfNot} ${FileExists} "$OldFolder\*.*"
      StrCpy $OldFolder ""
    ${EndIf}
  ${EndIf}
FunctionEnd

; The folder is Nightshift's alone: it is replaced and removed whole. What Setup has filled is known by its uninstaller.
Function CheckFolder
  StrCpy $Adopted 0
  ${If} $INSTDIR == $OldFolder
    Return
  ${EndIf}
  ${If} ${FileExists} "$INSTDIR"
  ${OrIf} ${FileExists} "$INSTDIR\*.*"
    RMDir "$INSTDIR" ; unless there is something in it
    ${If} ${FileExists} "$INSTDIR"
    ${OrIf} ${FileExists} "$INSTDIR\*.*"
      ${If} $OldFolder == ""
      ${AndIf} ${FileExists} "$INSTDIR\${UNINSTALLER}"
      ${AndIf} ${FileExists} "$INSTDIR\resources\leave.exe"
        StrCpy $OldFolder $INSTDIR
        StrCpy $Adopted 1
      ${Else}
        StrCpy $Word "/D=$INSTDIR"
        Call BadParameter
      ${EndIf}
    ${EndIf}
  ${EndIf}
FunctionEnd

; Which folders above it are to be made.
Function LookAtParents
  StrCpy $Made ""
  StrCpy $0 $INSTDIR
  ${Do}
    ${GetParent} $0 $0
    ${If} $0 == ""
    ${OrIf} ${FileExists} "$0\*.*"
      ${ExitDo}
    ${EndIf}
    StrCpy $Made $0
  ${Loop}
  ; Moved, but within a folder that it made then.
  StrLen $0 "$OldMade\"
  StrCpy $1 $INSTDIR $0
  ${If} $OldMade != ""
  ${AndIf} $1 == "$OldMade\"
    StrCpy $Made $OldMade
  ${EndIf}
FunctionEnd

; As at log-in. For all users it would run with Setup's rights, so it waits for the log-in then.
Function RunApp
  ${If} $Run == 1
  ${AndIf} $AllUsers == 0
  ${AndIf} ${FileExists} "$INSTDIR\Nightshift.exe"
    Exec '"$INSTDIR\Nightshift.exe" --hidden'
  ${EndIf}
FunctionEnd

; One parameter into the registry: what was not given stays, what was given empty goes.
!macro Keep name value
  ${If} "${value}" == ""
    DeleteRegValue SHCTX "${KEY}" "${name}"
    ClearErrors
  ${ElseIf} "${value}" != "${KEEP}"
    WriteRegStr SHCTX "${KEY}" "${name}" ${value}
  ${EndIf}
!macroend

Function Undo
  SetOutPath $TEMP ; nobody can remove the folder he is in
  RMDir /r $Staged
  ${If} $Swapped == 1
    RMDir /r $INSTDIR
  ${EndIf}
  ${If} ${FileExists} "$OldFolder${OLD}\*.*"
    Rename "$OldFolder${OLD}" $OldFolder
  ${EndIf}
  ${If} $AllUsers == 1
    ${DisableX64FSRedirection}
    ${If} ${FileExists} "$SYSDIR\Nightshift.scr.old"
      Delete "$SYSDIR\Nightshift.scr"
      Rename "$SYSDIR\Nightshift.scr.old" "$SYSDIR\Nightshift.scr"
    ${EndIf}
    ${EnableX64FSRedirection}
  ${EndIf}
  StrCpy $0 $INSTDIR
  StrCpy $1 $Made
  Call RemoveParents
  ${If} $OldFolder == ""
  ${OrIf} $Adopted == 1
    Call RemoveTraces
  ${ElseIf} $Swapped == 1
    StrCpy $INSTDIR $OldFolder
    !insertmacro WriteValues
    WriteRegStr SHCTX "${KEY}" "Version" $OldVersion
    !insertmacro Keep "Made" $OldMade
  ${EndIf}
  ${If} $OldFolder != ""
    StrCpy $INSTDIR $OldFolder
    Call RunApp
  ${EndIf}
FunctionEnd

Function CannotWrite
  Call Undo
  !insertmacro Fail ${CODE_CANNOT_WRITE} "$(cannotWrite)"
FunctionEnd

Function .onInstFailed
  Call Undo
  SetErrorLevel ${CODE_CANNOT_WRITE}
FunctionEnd

!macro OrUndo
  ${If} ${Errors}
    Call CannotWrite
  ${EndIf}
!macroend

; The join link is a secret; for one user the key is that user's own anyway.
Function ProtectKey
  ${If} $AllUsers == 1
    System::Call 'advapi32::ConvertStringSecurityDescriptorToSecurityDescriptorW(w "${KEY_RIGHTS}", i 1, *p .r1, p 0) i .r0'
    ${If} $0 == 0
      SetErrors
      Return
    ${EndIf}
    ; HKEY_LOCAL_MACHINE; WRITE_DAC | KEY_WOW64_64KEY; then DACL_SECURITY_INFORMATION
    System::Call 'advapi32::RegOpenKeyExW(p -2147483646, w "${KEY}", i 0, i 0x40100, *p .r2) i .r0'
    ${If} $0 == 0
      System::Call 'advapi32::RegSetKeySecurity(p r2, i 4, p r1) i .r0'
      System::Call 'advapi32::RegCloseKey(p r2)'
    ${EndIf}
    System::Call 'kernel32::LocalFree(p r1)'
    ${If} $0 <> 0
      SetErrors
    ${EndIf}
  ${EndIf}
FunctionEnd

Section
  Call CheckFolder
  Call LookAtParents
  StrCpy $Staged "$INSTDIR${NEW}"
  InitPluginsDir
  ClearErrors
  RMDir /r $Staged
  ClearErrors
  SetOutPath $Staged
  File /r "${APP_SOURCE}/*"
  WriteUninstaller "$Staged\${UNINSTALLER}"
  !insertmacro OrUndo

  ${If} $OldFolder != ""
    ExecWait '"$Staged\resources\leave.exe" "$OldFolder" $WaitS' $0
    ${If} $0 <> 0
      Call Undo
      !insertmacro Fail ${CODE_STILL_RUNNING} "$(stillRunning)"
    ${EndIf}
    RMDir /r "$OldFolder${OLD}"
    ClearErrors
    Rename $OldFolder "$OldFolder${OLD}"
    !insertmacro OrUndo
  ${EndIf}
  SetOutPath $TEMP
  ClearErrors
  Rename $Staged $INSTDIR
  !insertmacro OrUndo
  StrCpy $Swapped 1

  ${If} $AllUsers == 1
    ${DisableX64FSRedirection}
    ${If} ${FileExists} "$SYSDIR\Nightshift.scr"
      ; One that is shown cannot be written over, but renamed.
      Delete "$SYSDIR\Nightshift.scr.old"
      ClearErrors
      Rename "$SYSDIR\Nightshift.scr" "$SYSDIR\Nightshift.scr.old"
      !insertmacro OrUndo
    ${EndIf}
    CopyFiles /SILENT "$INSTDIR\Nightshift.scr" "$SYSDIR\Nightshift.scr"
    ${EnableX64FSRedirection}
    !insertmacro OrUndo
  ${EndIf}

  !insertmacro WriteValues
  Call ProtectKey
  !insertmacro OrUndo
  CreateShortCut "$SMPROGRAMS\Nightshift.lnk" "$INSTDIR\Nightshift.exe"
  !insertmacro OrUndo

  WriteRegStr SHCTX "${UNINSTALL_KEY}" "DisplayName" "${PRODUCT_NAME}"
  WriteRegStr SHCTX "${UNINSTALL_KEY}" "DisplayVersion" "${VERSION}"
  WriteRegStr SHCTX "${UNINSTALL_KEY}" "DisplayIcon" "$INSTDIR\Nightshift.exe,0"
  WriteRegStr SHCTX "${UNINSTALL_KEY}" "Publisher" "Nightshift"
  WriteRegStr SHCTX "${UNINSTALL_KEY}" "InstallLocation" "$INSTDIR"
  WriteRegStr SHCTX "${UNINSTALL_KEY}" "UninstallString" '"$INSTDIR\${UNINSTALLER}"'
  WriteRegStr SHCTX "${UNINSTALL_KEY}" "QuietUninstallString" '"$INSTDIR\${UNINSTALLER}" /S'
  WriteRegDWORD SHCTX "${UNINSTALL_KEY}" "EstimatedSize" ${APP_KILOBYTES}
  WriteRegDWORD SHCTX "${UNINSTALL_KEY}" "NoModify" 1
  WriteRegDWORD SHCTX "${UNINSTALL_KEY}" "NoRepair" 1
  !insertmacro OrUndo
  ; Last, as what they were before is not kept.
  ${If} $OldFolder != $INSTDIR
    !insertmacro Keep "Made" $Made
  ${EndIf}
  !insertmacro Keep "Join" $Join
  !insertmacro Keep "Pool" $Pool
  !insertmacro Keep "Mode" $Mode
  !insertmacro Keep "Tray" $Tray
  !insertmacro OrUndo

  ; Nothing can fail from here on.
  ${If} $OldFolder != ""
    RMDir /r /REBOOTOK "$OldFolder${OLD}"
    ${If} $OldFolder != $INSTDIR
      StrCpy $0 $OldFolder
      StrCpy $1 $OldMade
      Call RemoveParents
    ${EndIf}
  ${EndIf}
  ${DisableX64FSRedirection}
  Delete /REBOOTOK "$SYSDIR\Nightshift.scr.old"
  ${EnableX64FSRedirection}
  Call RunApp
SectionEnd

Function un.onInit
  SetRegView 64
  StrCpy $WaitS 30
  StrCpy $Purge 0
  Call un.ReadSilence
  StrCpy $Rest $CMDLINE
  Call un.NextWord
  ${Do}
    Call un.NextWord
    ${If} $HasWord == 0
      ${ExitDo}
    ${EndIf}
    StrCpy $R1 $Word 6
    ${If} $R1 == "/WAIT="
      Call un.ReadWait
    ${ElseIf} $Word == "/PURGE"
      StrCpy $Purge 1
    ${ElseIf} $Word != "/S"
    ${AndIf} $Word != "/NCRC"
      Call un.BadParameter
    ${EndIf}
  ${Loop}
  Call un.OnlyOne
  ; The folder is removed whole: it must be the one.
  StrCpy $AllUsers 0
  ReadRegStr $0 HKLM "${KEY}" "InstallLocation"
  ReadRegStr $1 HKCU "${KEY}" "InstallLocation"
  ${If} $0 == $INSTDIR
    StrCpy $AllUsers 1
  ${ElseIf} $1 != $INSTDIR
    StrCpy $Word "_?=$INSTDIR"
    Call un.BadParameter
  ${EndIf}
  Call un.UseContext
FunctionEnd

; What the app keeps for one user. Whoever runs a coordinator under the same folder keeps that. $0: the user's folder
Function un.PurgeUser
  ExecWait '"$PLUGINSDIR\purge.exe" "$0" ".nightshift\agents" "AppData\Roaming\Nightshift"' $1
  ${If} $1 <> 0
    StrCpy $R9 1
  ${Else}
    RMDir "$0\.nightshift" ; unless something else is in it
  ${EndIf}
FunctionEnd

; No user's screensaver is one that is not there. $0: the user's key in HKEY_USERS
Function un.ForgetScreensaver
  ReadRegStr $1 HKU "$0\Control Panel\Desktop" "SCRNSAVE.EXE"
  ${GetFileName} $1 $2
  ${If} $2 == "Nightshift.scr"
    DeleteRegValue HKU "$0\Control Panel\Desktop" "SCRNSAVE.EXE"
  ${EndIf}
FunctionEnd

Section Uninstall
  InitPluginsDir
  SetOutPath $TEMP
  CopyFiles /SILENT "$INSTDIR\resources\leave.exe" $PLUGINSDIR
  CopyFiles /SILENT "$INSTDIR\resources\purge.exe" $PLUGINSDIR
  ExecWait '"$PLUGINSDIR\leave.exe" "$INSTDIR" $WaitS' $0
  ${If} $0 <> 0
    !insertmacro Fail ${CODE_STILL_RUNNING} "$(stillRunning)"
  ${EndIf}
  StrCpy $R9 0
  ${If} $AllUsers == 1
    StrCpy $R0 0
    ${Do}
      EnumRegKey $0 HKU "" $R0
      ${If} $0 == ""
        ${ExitDo}
      ${EndIf}
      Call un.ForgetScreensaver
      IntOp $R0 $R0 + 1
    ${Loop}
    ${If} $Purge == 1
      StrCpy $R0 0
      ${Do}
        EnumRegKey $R1 HKLM "${PROFILES}" $R0
        ${If} $R1 == ""
          ${ExitDo}
        ${EndIf}
        ReadRegStr $0 HKLM "${PROFILES}\$R1" "ProfileImagePath"
        ExpandEnvStrings $0 $0
        ${If} $0 != ""
          Call un.PurgeUser
        ${EndIf}
        IntOp $R0 $R0 + 1
      ${Loop}
    ${EndIf}
  ${Else}
    ReadRegStr $1 HKCU "Control Panel\Desktop" "SCRNSAVE.EXE"
    ${If} $1 == "$INSTDIR\Nightshift.scr"
      DeleteRegValue HKCU "Control Panel\Desktop" "SCRNSAVE.EXE"
    ${EndIf}
    ${If} $Purge == 1
      StrCpy $0 $PROFILE
      Call un.PurgeUser
    ${EndIf}
  ${EndIf}
  ReadRegStr $OldMade SHCTX "${KEY}" "Made"
  Call un.RemoveTraces
  RMDir /r /REBOOTOK $INSTDIR
  StrCpy $0 $INSTDIR
  StrCpy $1 $OldMade
  Call un.RemoveParents
  ${If} ${FileExists} "$INSTDIR\*.*"
  ${OrIf} $R9 == 1
    !insertmacro Fail ${CODE_CANNOT_WRITE} "$(cannotRemove)"
  ${EndIf}
SectionEnd
