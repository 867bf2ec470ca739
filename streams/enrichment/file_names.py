"""File names that operating systems and common software have: as an indicator, such a name hits every machine.

A name is compared without case, because Windows does so. Names that malware borrows are in it all the more.
"""

import hashlib
from typing import Final

from schemas.markings import Activity

NAME: Final = "well-known-file-names"
# Microsoft, Windows system programs (learn.microsoft.com, Windows Commands and Sysinternals) and the LOLBAS project.
_WINDOWS: Final = """
appvlp arp at atbroker attrib audiodg auditpol bash bcdedit bitsadmin bootcfg calc certreq certutil chkdsk cipher
cmd cmdkey cmstp compact conhost consent control csc cscript csrss ctfmon curl dashost ddodiag defrag
desktopimgdownldr dfsvc diantz diskpart diskshadow dism dllhost dnscmd dwm esentutl eventvwr expand explorer
extexport extrac32 findstr finger fltmc fontdrvhost forfiles format fsquirt fsutil ftp gpresult gpscript gpupdate hh
hostname icacls ie4uinit iexplore ilasm infdefaultinstall installutil ipconfig jsc logonui lsaiso lsass lsm magnify
makecab mavinject mmc mobsync mofcomp mpcmdrun mscorsvw msbuild msconfig msdt msedge mshta msiexec mspaint mstsc
nbtstat net net1 netsh netstat notepad nslookup ntoskrnl odbcconf openfiles osk pcalua pcwrun ping pktmon powershell
powershell_ise presentationhost print psr pwsh rasautou rdrleakdiag reg regasm regedit regedt32 register-cimprovider
regini regsvcs regsvr32 replace robocopy route rpcping rundll32 runonce runtimebroker sc schtasks scriptrunner
searchindexer searchprotocolhost services sethc setup sfc shutdown sihost smartscreen smss spoolsv ssh svchost
syncappvpublishingserver systeminfo systemsettings taskeng taskhost taskhostw taskkill tasklist taskmgr taskschd
tracert trustedinstaller tttracer userinit utilman vbc verclsid vssadmin w32tm wab wbadmin werfault wermgr wevtutil
where whoami wininit winlogon winrs wlanext wmic wmiprvse wordpad wscript wsl wsmprovhost wsreset wuauclt wusa xcopy
xwizard chrome firefox excel outlook winword powerpnt onenote teams acrobat acrord32 java javaw javac python pythonw
node perl ruby php git 7z 7za winrar putty plink psexec onedrive zoom
"""
_LIBRARIES: Final = """
advapi32.dll amsi.dll bcrypt.dll comctl32.dll crypt32.dll dbghelp.dll gdi32.dll kernel32.dll kernelbase.dll
msvcrt.dll mscoree.dll ntdll.dll ole32.dll oleaut32.dll rpcrt4.dll secur32.dll shell32.dll shlwapi.dll urlmon.dll
user32.dll version.dll wininet.dll winhttp.dll ws2_32.dll libc.so.6 ld-linux.so.2 ld-linux-x86-64.so.2
libpthread.so.0 desktop.ini thumbs.db hosts ntuser.dat pagefile.sys hiberfil.sys bootmgr autorun.inf .ds_store
.htaccess index.html index.htm index.php default.aspx default.asp wp-login.php xmlrpc.php robots.txt favicon.ico
license.txt readme.txt readme.md changelog.txt package.json setup.py requirements.txt config.json web.config
setup.msi install.exe installer.exe update.exe updater.exe uninstall.exe
"""
_UNIX: Final = """
awk bash busybox cat chmod chown cp cron crond curl dash dd env find ftp gcc grep gunzip gzip init ksh ls mount mv
nc ncat nohup perl ps python python3 rm sed sh ssh sshd sudo systemd tar touch vi vim wget zsh httpd nginx apache2
"""
NAMES: Final = frozenset({*(f"{name}.exe" for name in _WINDOWS.split()), *_LIBRARIES.split(), *_UNIX.split()})
VERSION: Final = hashlib.sha256("\n".join(sorted(NAMES)).encode()).hexdigest()[:16]
ACTIVITY: Final = Activity.PASSIVE_LOCAL


def is_well_known(name: str) -> bool:
    """Whether a canonical file name is one that harmless files have everywhere."""
    return name.casefold() in NAMES
