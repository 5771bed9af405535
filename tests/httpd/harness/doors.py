# Licensed under the Apache License, Version 2.0; see LICENSE.
"""The site of the gate corpus: the same protected bytes closed in four ways, and the ways an
administrator may, knowingly or not, have led to them from somewhere else.

    location    <Location "/loc">                     directory   <Directory docroot/dir>
    files       <FilesMatch "^paid"> in docroot/fil   proxy       <Proxy "http://…/vault/*"> under /prx/

a folder /req that `Require subscription` closes, and a virtual host of its own that is closed as a whole. Every protected file holds MARK over and over, and MARK's bytes stand in no public answer: any piece
of a file that gets out is seen, however small the range was.
"""
import shutil

from . import scratch

MARK = "\u046a\u00a4".encode()
OPEN = "everybody may read this"

DOORS = ("location", "directory", "files", "proxy")
BASE = {"location": "/loc", "directory": "/dir", "files": "/fil", "proxy": "/prx"}
DAV = {"location": "loc", "directory": "dir", "files": "fil"}

PROTECTED = (MARK * 16 + b"\n") * 4
PUBLIC = OPEN.encode() + b"\n"

_COMMON = """
SubbillRoute style /styles
<Location "/loc">
    SubbillGate any
</Location>
<Directory "{root}/docroot/dir">
    SubbillGate any
</Directory>
<Directory "{root}/docroot/fil">
    <FilesMatch "^paid">
        SubbillGate any
    </FilesMatch>
</Directory>
<Proxy "{vault}/vault/*">
    SubbillGate any
</Proxy>
ProxyPass /prx/ {vault}/vault/
ProxyPass /hall/ {vault}/hall/
<DirectoryMatch "^{root}/docroot/(loc|dir|fil)">
    Options MultiViews Includes ExecCGI FollowSymLinks
    DirectoryIndex paid-index.html
    AddHandler send-as-is .asis
    AddHandler type-map .var
    AddLanguage en .en
    AddLanguage de .de
</DirectoryMatch>

# What a nested section may say without opening anything.
<LocationMatch "^/(loc|dir|fil|prx)/granted/">
    Require all granted
</LocationMatch>
<LocationMatch "^/(loc|dir|fil|prx)/satisfied/">
    Require all granted
    Satisfy Any
</LocationMatch>
<LocationMatch "^/(loc|dir|fil|prx)/unsure/">
    Require all granted
    Satisfy Any
    AuthBasicAuthoritative Off
</LocationMatch>
<LocationMatch "^/(loc|dir|fil|prx)/pay/">
    ErrorDocument 402 /open/page.html
    ErrorDocument 401 /open/page.html
</LocationMatch>
<LocationMatch "^/(loc|dir|fil|prx)/browser/">
    SubbillOnDeny redirect
</LocationMatch>

# A gate in front of a folder where one of our own routes answers, unless somebody chooses another
# handler for it.
<Location "/styles">
    SubbillGate any
</Location>
<Directory "{root}/docroot/styles">
    SetHandler default-handler
</Directory>

<Location "/req">
    Require subscription
</Location>
<Directory "{root}/docroot/in/required">
    Options Includes
    DirectoryIndex /req/paid.html
</Directory>

<Directory "{root}/docroot/davs">
    Dav On
    DavDepthInfinity On
</Directory>
<Location "/davs/loc/inner">
    SubbillGate any
</Location>
<Directory "{root}/docroot/davs/dir/inner">
    SubbillGate any
</Directory>
<Directory "{root}/docroot/davs/fil">
    <FilesMatch "^paid">
        SubbillGate any
    </FilesMatch>
</Directory>

<VirtualHost 127.0.0.1:{port}>
    ServerName 127.0.0.1
    RewriteEngine On
{rules}
</VirtualHost>
<VirtualHost 127.0.0.1:{port}>
    ServerName paid.example
    DocumentRoot {root}/docroot/host-paid
    <Location "/">
        SubbillGate any
    </Location>
</VirtualHost>
<VirtualHost 127.0.0.1:{port}>
    ServerName open.example
    DocumentRoot {root}/docroot/host-open
</VirtualHost>
<VirtualHost 127.0.0.1:{port}>
    ServerName twin.example
    ServerAlias *.twin.example
</VirtualHost>
"""

_RULES = """\
    RewriteRule ^/in/{door}/pt$ {page} [PT]
    RewriteRule ^/in/{door}/file$ {page} [L]
    RewriteRule ^/in/{door}/handler$ {page} [PT,H=default-handler]
    RewriteRule ^/in/{door}/self$ http://127.0.0.1:{port}{page} [P]
    RewriteRule ^/in/{door}/straight$ {vault}/vault/paid.html [P]
    RewriteRule ^/in/{door}/styles$ /styles/paid.html [PT]
    RewriteRule ^/in/{door}/pass/(.*)$ {base}/$1 [PT]
"""

_WAYS = """
<Location "/in/{door}/error">
    ErrorDocument 404 {page}
</Location>
<Location "/in/{door}/denied">
    Require all denied
    ErrorDocument 403 {page}
</Location>
<Location "/in/{door}/login">
    SubbillGate any
    ErrorDocument 401 {page}
    ErrorDocument 402 {page}
</Location>
<Location "{base}/again">
    ErrorDocument 401 {base}/again/paid.html
</Location>
<Directory "{root}/docroot/in/{door}/fallback">
    FallbackResource {page}
</Directory>
<Directory "{root}/docroot/in/{door}/index">
    DirectoryIndex {page}
</Directory>
<Directory "{root}/docroot/in/{door}/rules">
    Options FollowSymLinks
    RewriteEngine On
    RewriteRule ^last$ {page} [L]
    RewriteRule ^pass$ {page} [PT]
    RewriteRule ^end$ {page} [END]
    RewriteRule ^away$ {page} [R=302]
    RewriteRule ^twice$ last [L]
</Directory>
<Directory "{root}/docroot/in/{door}">
    Options Includes ExecCGI FollowSymLinks
    AddHandler type-map .var
</Directory>
Action walk-{door} {base}/paid.cgi virtual
<Location "/in/{door}/act">
    SetHandler walk-{door}
</Location>
Alias "/in/{door}/alias" "{root}/docroot{base}"
AliasMatch "^/in/{door}/match/(.*)$" "{root}/docroot{base}/$1"
"""


def conf(root, port, vault):
    """The configuration behind Site's own; vault: where the application answers."""
    rules, ways = [], []
    for door in DOORS:
        words = {"door": door, "base": BASE[door], "page": f"{BASE[door]}/paid.html", "root": root,
                 "port": port, "vault": vault}
        rules.append(_RULES.format(**words))
        ways.append(_WAYS.format(**words))
    return _COMMON.format(root=root, port=port, vault=vault, rules="".join(rules)) + "".join(ways)


_CGI = b"#!/bin/sh\ncat >/dev/null\nprintf 'Content-Type: text/html\\r\\n\\r\\n'\ncat <<'PAID'\n" + PROTECTED + b"PAID\n"

_MAP = "URI: paid.html\nContent-Type: text/html\n"


def _tree(folder):
    """What stands behind a door: every kind of handler."""
    for name in ("paid.html", "paid-index.html", "paid.css", "paid-neg.html.en", "paid-neg.html.de",
                 "deep/paid.html", "granted/paid.html", "satisfied/paid.html", "unsure/paid.html",
                 "pay/paid.html", "browser/paid.html", "again/paid.html", "again/paid-too.html",
                 "paid name.html", "paid-\u00fc.html"):
        scratch.write(folder / name, PROTECTED)
    scratch.write(folder / "paid.shtml", PROTECTED)
    scratch.write(folder / "paid.asis", b"Status: 200 Right\nContent-Type: text/html\n\n" + PROTECTED)
    scratch.write(folder / "paid.cgi", _CGI, 0o755)
    scratch.write(folder / "paid-map.var", _MAP)


def _ways(folder, base):
    page = f"{base}/paid.html"
    for name in ("fallback", "index", "rules"):
        scratch.write(folder / name / "readme.txt", PUBLIC)
    scratch.write(folder / "virtual.shtml", f'<!--#include virtual="{page}" -->\n')
    scratch.write(folder / "nested.shtml", '<!--#include virtual="virtual.shtml" -->\n')
    scratch.write(folder / "escaped.shtml", f'<!--#include virtual="{base}/%70aid.html" -->\n')
    scratch.write(folder / "query.shtml", '<!--#include virtual="$QUERY_STRING" -->\n')
    scratch.write(folder / "dotted.shtml", f'<!--#include virtual="./../..{page}" -->\n')
    scratch.write(folder / "away.cgi", f"#!/bin/sh\ncat >/dev/null\nprintf 'Location: {page}\\r\\n\\r\\n'\n", 0o755)
    scratch.write(folder / "map.var", f"URI: ../..{page}\nContent-Type: text/html\n")


def write_dav(root):
    """The part of the site that WebDAV may change, as it was."""
    folder = root / "docroot" / "davs"
    if folder.exists():
        shutil.rmtree(folder)
    for part in DAV.values():
        scratch.write(folder / part / "inner" / "paid.html", PROTECTED)
        scratch.write(folder / part / "inner" / "deep" / "paid.txt", PROTECTED)
        scratch.write(folder / part / "open.html", PUBLIC)
        scratch.write(folder / part / "side" / "open.html", PUBLIC)
    scratch.write(folder / "out" / "readme.txt", PUBLIC)
    for path in (folder, *folder.rglob("*")):
        scratch.give(path)


def dav_files(root):
    """{path below the WebDAV folder: bytes} of every file but mod_dav's own."""
    folder = root / "docroot" / "davs"
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*"))
            if path.is_file() and ".DAV" not in path.parts}


def write(root):
    docroot = root / "docroot"
    for door in DOORS:
        if door != "proxy":
            _tree(docroot / BASE[door].strip("/"))
        _ways(docroot / "in" / door, BASE[door])
    scratch.write(docroot / "fil" / "file.shtml", '<!--#include file="paid.html" -->\n')
    scratch.write(docroot / "fil" / "open.html", PUBLIC)
    for name in ("paid.html", "index.html"):
        scratch.write(docroot / "req" / name, PROTECTED)
    scratch.write(docroot / "in" / "required" / "virtual.shtml", '<!--#include virtual="/req/paid.html" -->\n')
    scratch.write(docroot / "styles" / "paid.html", PROTECTED)
    for host in ("paid", "open"):
        text = PROTECTED if host == "paid" else PUBLIC
        for name in ("index.html", "paid.html"):
            scratch.write(docroot / f"host-{host}" / name, text)
    write_dav(root)
