# Licensed under the Apache License, Version 2.0; see LICENSE.
"""Shared caches in front of a site, each as Debian ships it, in a scratch folder and on a port of its
own, and told to keep as much as it can be talked into: every status, whoever asks, for minutes.
"""
import os
import shutil
import socket
import time

from . import processes, scratch

NGINX = """\
{user}
worker_processes 1;
daemon off;
pid {root}/pid;
error_log {root}/error.log warn;
events {{ worker_connections 64; }}
http {{
    access_log off;
    client_body_temp_path {root}/body;
    proxy_temp_path {root}/temp;
    fastcgi_temp_path {root}/f;
    uwsgi_temp_path {root}/u;
    scgi_temp_path {root}/s;
    proxy_cache_path {root}/cache keys_zone=all:1m;
    server {{
        listen 127.0.0.1:{port};
        location / {{
            proxy_pass http://127.0.0.1:{origin};
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_set_header Host 127.0.0.1:{origin};
            proxy_cache all;
            proxy_cache_valid any 10m;
            proxy_cache_use_stale error timeout updating http_500 http_502 http_503 http_504 http_403 http_404;
        }}
    }}
}}
"""

VARNISH = """\
vcl 4.1;
backend site {{ .host = "127.0.0.1"; .port = "{origin}"; }}
sub vcl_recv {{
    set req.http.Host = "127.0.0.1:{origin}";
    if (req.method == "GET" || req.method == "HEAD") {{ return (hash); }}
}}
sub vcl_backend_response {{
    set beresp.grace = 10m;
}}
"""

SQUID = """\
http_port 127.0.0.1:{port} accel defaultsite=127.0.0.1:{origin} no-vhost
cache_peer 127.0.0.1 parent {origin} 0 no-query no-digest originserver login=PASS name=site
http_access allow all
cache_peer_access site allow all
cache_mem 16 MB
refresh_pattern . 10 100% 20
negative_ttl 600 seconds
pid_filename {root}/pid
access_log none
cache_log {root}/cache.log
cache_store_log none
netdb_filename none
coredump_dir {root}
cache_effective_user {runs_as}
pinger_enable off
shutdown_lifetime 0 seconds
visible_hostname front
"""

TRAFFIC_SERVER = {
    "etc/records.config": """\
CONFIG proxy.config.http.server_ports STRING {port}:ip-in=127.0.0.1
CONFIG proxy.config.admin.user_id STRING {runs_as}
CONFIG proxy.config.http.cache.required_headers INT 0
CONFIG proxy.config.http.negative_caching_enabled INT 1
CONFIG proxy.config.http.negative_caching_lifetime INT 600
CONFIG proxy.config.diags.output.status STRING E
CONFIG proxy.config.diags.output.note STRING E
""",
    "etc/remap.config": "map / http://127.0.0.1:{origin}/\n",
    "etc/storage.config": "{root}/cache 16M\n",
    "etc/ip_allow.yaml": "ip_allow: [{{apply: in, ip_addrs: 0/0, action: allow, methods: ALL}}]\n",
    "runroot.yaml": "".join(f"{key}: {value}\n" for key, value in {
        "prefix": "/usr", "exec_prefix": "/usr", "bindir": "/usr/bin", "sbindir": "/usr/sbin",
        "includedir": "/usr/include", "libdir": "/usr/lib/trafficserver",
        "libexecdir": "/usr/lib/trafficserver/modules", "sysconfdir": "{root}/etc",
        "datadir": "{root}/cache", "cachedir": "{root}/cache", "localstatedir": "{root}/run",
        "runtimedir": "{root}/run", "logdir": "{root}/log"}.items()),
}


class Front:
    """A program between people and a site. port: where it listens, once start() has returned."""

    name = program = None

    def __init__(self, site):
        self.site = site
        self.root = site.root / "fronts" / self.name
        self.port = scratch.free_port()
        self._process = None

    @classmethod
    def missing(cls):
        """Why it cannot run here, or None."""
        return None if shutil.which(cls.program, path=os.environ["PATH"] + ":/usr/sbin") else \
            f"{cls.program} is not installed"

    def _write(self, name, text):
        words = {"root": self.root, "port": self.port, "origin": self.site.port,
                 "runs_as": scratch.RUN_AS,
                 "user": f"user {scratch.RUN_AS};" if os.geteuid() == 0 else ""}
        return scratch.write(self.root / name, text.format(**words))

    def start(self):
        self.root.mkdir(parents=True, exist_ok=True)
        scratch.give(self.root)
        with open(self.root / "stderr.log", "ab") as stderr:
            self._process = processes.start([str(part) for part in self.command()], stdout=stderr,
                                            stderr=stderr, cwd=self.root)
        until = time.monotonic() + 30
        while time.monotonic() < until and self._process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return self
            except OSError:
                time.sleep(0.05)
        told = (self.root / "stderr.log").read_text(errors="backslashreplace")
        self.stop()
        raise RuntimeError(f"{self.name} did not start:\n{told[-2000:]}")

    def stop(self):
        if self._process:
            processes.end(self._process, patience=5)
        self._process = None


class Nginx(Front):
    name = program = "nginx"

    def command(self):
        return ["/usr/sbin/nginx", "-e", self.root / "error.log", "-c", self._write("nginx.conf", NGINX)]


class Varnish(Front):
    name, program = "varnish", "varnishd"

    def command(self):
        return ["/usr/sbin/varnishd", "-F", "-j", "none", "-n", self.root / "work", "-s", "malloc,16m",
                "-a", f"127.0.0.1:{self.port}", "-f", self._write("site.vcl", VARNISH)]


class Squid(Front):
    name = program = "squid"

    def command(self):
        return ["/usr/sbin/squid", "-N", "-f", self._write("squid.conf", SQUID)]


class TrafficServer(Front):
    name, program = "trafficserver", "traffic_server"

    def command(self):
        for folder in ("cache", "run", "log"):
            (self.root / folder).mkdir(exist_ok=True)
            scratch.give(self.root / folder)
        for name, text in TRAFFIC_SERVER.items():
            self._write(name, text)
        return ["/usr/bin/traffic_server", f"--run-root={self.root}/runroot.yaml"]


class ModCache(Front):
    """mod_cache in the site's own httpd: not in front, but before every check there is."""

    name = "mod_cache"
    conf = "CacheEnable disk /\nCacheRoot {root}/cache\n"

    @classmethod
    def missing(cls):
        return None

    def start(self):
        self.port = self.site.port
        (self.root / "cache").mkdir(parents=True, exist_ok=True)
        scratch.give(self.root / "cache")
        self._before = self.site.extra
        self.site.reconfigure(extra=self._before + "\n" + self.conf.format(root=self.root) + """
CacheIgnoreNoLastMod On
CacheDefaultExpire 600
CacheStorePrivate On
CacheStoreNoStore On
CacheIgnoreCacheControl On
""")
        return self

    def stop(self):
        self.site.reconfigure(extra=self._before)


class ModCacheLate(ModCache):
    name = "mod_cache_late"
    conf = ModCache.conf + "CacheQuickHandler off\n"


class ModCacheShared(ModCache):
    name = "mod_cache_socache"
    conf = "CacheEnable socache /\nCacheSocache shmcb:{root}/cache/store(1048576)\n"


ALL = (ModCache, ModCacheLate, ModCacheShared, Nginx, Varnish, Squid, TrafficServer)
