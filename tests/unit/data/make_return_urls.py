#!/usr/bin/python3
"""Writes return_urls.json: addresses a client may ask to be sent back to, with our own serialisation
of those that pass and null for those that are refused. Everything is written by hand."""

import json
import os

BASE = "https://shop.example.org/members"
ORIGINS = ["https://app.example.net", "http://localhost:3000", "https://partner.example.com/shop",
           "https://[2001:db8::1]:8443", "http://intranet.example.org/", "https://203.0.113.7"]
OWN = "https://shop.example.org"

PASS = {
    # Paths of this site.
    "/": OWN + "/",
    "/account": OWN + "/account",
    "/account/": OWN + "/account/",
    "/a/b/c.html": OWN + "/a/b/c.html",
    "/a//b": OWN + "/a//b",
    "/?x=1": OWN + "/?x=1",
    "/#top": OWN + "/#top",
    "/a?b=c&d=e#f": OWN + "/a?b=c&d=e#f",
    "/a?": OWN + "/a?",
    "/a#": OWN + "/a#",
    "/a?b?c": OWN + "/a?b?c",
    "/a#b#c": OWN + "/a#b%23c",
    "/a?next=https://evil.example/": OWN + "/a?next=https://evil.example/",
    "/a?next=//evil.example": OWN + "/a?next=//evil.example",
    "/a?q=%2F%5C": OWN + "/a?q=%2F%5C",
    "/a@b": OWN + "/a@b",
    "/a:b": OWN + "/a:b",
    "/user:pass@host": OWN + "/user:pass@host",
    "/javascript:alert(1)": OWN + "/javascript:alert(1)",
    "/a/./b": OWN + "/a/b",
    "/a/../b": OWN + "/b",
    "/a/b/..": OWN + "/a/",
    "/a/b/.": OWN + "/a/b/",
    "/../../etc/passwd": OWN + "/etc/passwd",
    "/a/%2e%2e/b": OWN + "/b",
    "/a/%2E%2E/b": OWN + "/b",
    "/a/.%2e/b": OWN + "/b",
    "/a/%2e/b": OWN + "/a/b",
    "/...": OWN + "/...",
    "/a/..b": OWN + "/a/..b",
    "/.well-known/x": OWN + "/.well-known/x",
    "/%252e%252e/": OWN + "/%252e%252e/",
    "/a%20b": OWN + "/a%20b",
    "/a+b": OWN + "/a+b",
    "/caf\u00e9": OWN + "/caf%C3%A9",
    "/caf%C3%A9": OWN + "/caf%C3%A9",
    "/\U0001f642": OWN + "/%F0%9F%99%82",
    "/?q=\u00e4": OWN + "/?q=%C3%A4",
    "/#\u00e4": OWN + "/#%C3%A4",
    "/a\"b": OWN + "/a%22b",
    "/<b>": OWN + "/%3Cb%3E",
    "/?q=<script>": OWN + "/?q=%3Cscript%3E",
    "/?q='x'": OWN + "/?q=%27x%27",
    "/a'b": OWN + "/a'b",
    "/a`b": OWN + "/a%60b",
    "/a|b": OWN + "/a%7Cb",
    "/a^b": OWN + "/a%5Eb",
    "/a[0]": OWN + "/a%5B0%5D",
    "/?a[]=1": OWN + "/?a%5B%5D=1",
    "/a;b=c": OWN + "/a;b=c",
    "/{x}": OWN + "/%7Bx%7D",
    "/done?session_id={CHECKOUT_SESSION_ID}": OWN + "/done?session_id={CHECKOUT_SESSION_ID}",
    "/done/{CHECKOUT_SESSION_ID}": OWN + "/done/{CHECKOUT_SESSION_ID}",
    "/done/{CHECKOUT_SESSION_IDX}": OWN + "/done/%7BCHECKOUT_SESSION_IDX%7D",
    "/\u2028": OWN + "/%E2%80%A8",
    # This site, written out.
    "https://shop.example.org": OWN + "/",
    "https://shop.example.org/": OWN + "/",
    "https://shop.example.org/account": OWN + "/account",
    "https://shop.example.org:443/account": OWN + "/account",
    "https://SHOP.Example.ORG/Account": OWN + "/Account",
    "HTTPS://shop.example.org/": OWN + "/",
    "https://shop.example.org?x=1": OWN + "/?x=1",
    "https://shop.example.org#x": OWN + "/#x",
    "https://shop.example.org/a/../b": OWN + "/b",
    "https://shop.example.org/?u=user@evil.example": OWN + "/?u=user@evil.example",
    "https://shop.example.org/@evil.example": OWN + "/@evil.example",
    "https://shop.example.org?@evil.example": OWN + "/?@evil.example",
    "https://shop.example.org#@evil.example": OWN + "/#@evil.example",
    # The list.
    "https://app.example.net": "https://app.example.net/",
    "https://app.example.net/deep/path?x#y": "https://app.example.net/deep/path?x#y",
    "https://app.example.net:443/": "https://app.example.net/",
    "https://app.example.net/#/account": "https://app.example.net/#/account",
    "http://localhost:3000/": "http://localhost:3000/",
    "http://LOCALHOST:3000/x": "http://localhost:3000/x",
    "https://partner.example.com/shop": "https://partner.example.com/shop",
    "https://partner.example.com/shop/": "https://partner.example.com/shop/",
    "https://partner.example.com/shop/x": "https://partner.example.com/shop/x",
    "https://partner.example.com/shop?x": "https://partner.example.com/shop?x",
    "https://partner.example.com/shop/../shop/x": "https://partner.example.com/shop/x",
    "https://partner.example.com/x/../shop": "https://partner.example.com/shop",
    "https://[2001:db8::1]:8443/": "https://[2001:db8::1]:8443/",
    "https://[2001:0DB8:0:0::0001]:8443/x": "https://[2001:db8::1]:8443/x",
    "http://intranet.example.org": "http://intranet.example.org/",
    "http://intranet.example.org:80/x": "http://intranet.example.org/x",
    "https://203.0.113.7/": "https://203.0.113.7/",
}

REFUSE = [
    # Nothing, or not an address.
    "", "account", "account/", "./account", "../account", "?x=1", "#x", ".", "x", "null", "*",
    # Two slashes, in every spelling.
    "//", "//evil.example", "//evil.example/", "///evil.example", "////evil.example",
    "//shop.example.org/", "/\\evil.example", "\\/evil.example", "\\\\evil.example", "/\\/evil.example",
    "\\evil.example", "/a\\b", "/..//evil.example", "/.//evil.example", "/a/..//evil.example",
    "/%2e%2e//evil.example", "/%2e//evil.example", "/%2f/evil.example", "/%2F%2Fevil.example",
    "/%5cevil.example", "/%5C%5Cevil.example", "/a%2fb", "https://shop.example.org//evil.example",
    "https://shop.example.org/..//x",
    # Control characters and spaces.
    " /account", "/account ", "/a b", "/a\tb", "/a\nb", "/a\r\nSet-Cookie: x=1", "\t/account", "\n//x",
    "/\t/evil.example", "/\n/evil.example", "/\x7f", "/\x1b[2J", "/\u0085", "/\u009f",
    "java\tscript:alert(1)", "https://shop.example.org\t/", "https://shop.example.org /",
    " https://shop.example.org/", "https://shop.example.org/\n", "ht\ntps://shop.example.org/",
    "/%00", "/%0a", "/%0d%0aSet-Cookie:x=1", "/?x=%0D%0A", "/#%09", "/%7f", "/%1f", "/?%00",
    # Percent signs.
    "/%", "/%2", "/%zz", "/%u0041", "/?q=%", "/?q=%g0", "/a%2", "/100%",
    # Schemes.
    "javascript:alert(1)", "JavaScript:alert(1)", "javascript://shop.example.org/%0aalert(1)",
    "data:text/html,x", "data://shop.example.org/", "vbscript:x", "file:///etc/passwd",
    "file://shop.example.org/", "ftp://shop.example.org/", "ws://shop.example.org/",
    "wss://shop.example.org/", "blob:https://shop.example.org/x", "mailto:x@shop.example.org",
    "about:blank", "view-source:https://shop.example.org/", "gopher://shop.example.org/",
    "http://shop.example.org/", "http://shop.example.org:443/", "http://app.example.net/",
    "https://localhost:3000/", "https://intranet.example.org/",
    "https:shop.example.org", "https:/shop.example.org", "https:///shop.example.org",
    "https:////shop.example.org", "https:\\\\shop.example.org", "https:/\\shop.example.org",
    "https//shop.example.org", "://shop.example.org", "https//", "https://", "https:///", "http:",
    "xhttps://shop.example.org/", "https ://shop.example.org/",
    # User names.
    "https://shop.example.org@evil.example/", "https://shop.example.org:443@evil.example/",
    "https://user@shop.example.org/", "https://user:pass@shop.example.org/", "https://@shop.example.org/",
    "https://:@shop.example.org/", "https://evil.example@shop.example.org/",
    "https://shop.example.org%40evil.example/", "https://evil.example\\@shop.example.org/",
    "https://shop.example.org\\@evil.example/",
    # Other hosts.
    "https://evil.example", "https://evil.example/", "https://evil.example/shop.example.org",
    "https://evil.example/https://shop.example.org/", "https://evil.example?shop.example.org",
    "https://evil.example#shop.example.org", "https://shop.example.org.evil.example/",
    "https://shop.example.orgevil.example/", "https://evilshop.example.org/", "https://example.org/",
    "https://www.shop.example.org/", "https://shop.example.org./", "https://shop..example.org/",
    "https://.shop.example.org/", "https://shop.example/", "https://shop-example.org/",
    "https://shop_example.org/", "https://sh\u043ep.example.org/", "https://shop\u3002example.org/",
    "https://shop.example.org\u2044evil/", "https://\uff53hop.example.org/",
    "https://xn--shp-fmc.example.org/", "https://shop%2eexample%2eorg/", "https://shop.example.org%00/",
    "https://shop.example.org%2f.evil.example/", "https://shop.example.org,evil.example/",
    "https://shop.example.org;evil.example/", "https://shop.example.org'evil/",
    "https://shop.example.org|evil/", "https://[shop.example.org]/", "https://*.example.org/",
    "https://" + "a" * 64 + ".example.org/", "https://" + "a." * 130 + "org/",
    # Ports.
    "https://shop.example.org:8443/", "https://shop.example.org:80/", "https://shop.example.org:/",
    "https://shop.example.org:0/", "https://shop.example.org:0443/", "https://shop.example.org:65536/",
    "https://shop.example.org:443x/", "https://shop.example.org:-1/", "https://shop.example.org:+443/",
    "https://shop.example.org:443:443/", "https://shop.example.org:%34%34%33/",
    "https://shop.example.org:99999999999/", "http://localhost/", "http://localhost:3001/",
    "http://localhost:30000/", "http://localhost:3000.evil.example/",
    # Addresses as numbers.
    "https://203.0.113.8/", "https://3405803783/", "https://0xcb007107/", "https://0313.0.0161.07/",
    "https://203.0.28935/", "https://203.0.113.007/", "https://203.0.113.7.evil.example/",
    "https://127.0.0.1/", "https://127.1/", "https://[::1]/", "https://[2001:db8::1]/",
    "https://[2001:db8::2]:8443/", "https://[2001:db8::1%25eth0]:8443/", "https://[::ffff:203.0.113.7]/",
    "https://[2001:db8::1:8443/", "https://2001:db8::1:8443/", "https://[]/", "https://[/", "https://]/",
    # Outside of an allowed path.
    "https://partner.example.com/", "https://partner.example.com", "https://partner.example.com/shopping",
    "https://partner.example.com/shop/../admin", "https://partner.example.com/shop/%2e%2e/admin",
    "https://partner.example.com/shop/..%2fadmin", "https://partner.example.com/SHOP",
    "https://partner.example.com/x/shop", "https://partner.example.com/?/shop",
    "https://partner.example.com#/shop", "https://partner.example.com/shop%2f..%2fadmin",
    "https://partner.example.com/%73hop",
    # Too long.
    "/" + "a" * 2048, "https://shop.example.org/" + "a" * 2048,
]


def main():
    cases = [{"input": text, "expect": expect} for text, expect in PASS.items()]
    cases += [{"input": text, "expect": None} for text in REFUSE]
    cases.append({"input": "/" + "a" * 2047, "expect": OWN + "/" + "a" * 2047})
    for raw in (b"/\xff", b"/\xc0\xaf", b"/\xed\xa0\x80", b"/\xf5\x80\x80\x80", b"/\xe2\x82",
                b"https://shop.example.org/\xc1\x81", b"\xef\xbb", b"/?\x80"):
        cases.append({"input_hex": raw.hex(), "expect": None})
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "return_urls.json")
    with open(path, "w", encoding="utf-8") as out:
        json.dump({"base_url": BASE, "origins": ORIGINS, "cases": cases}, out, indent=0)
        out.write("\n")
    print(f"{len(cases)} cases")


if __name__ == "__main__":
    main()
