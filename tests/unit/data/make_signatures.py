#!/usr/bin/python3
"""Writes signatures.json: headers, bodies and secrets with the outcome that a strict receiver has.

The expected words are written by hand next to each case; only the HMACs are computed, with Python's
own library, so that the corpus is a second opinion and not an echo of the C code.
"""

import hashlib
import hmac
import json
import os

NOW = 1793610000
S1 = "whsec_corpus0000000000000000000001"
S2 = "whsec_corpus0000000000000000000002"
BODY = b'{"id":"evt_corpus1","object":"event"}'
CASES = []


def mac(secret, t, body=BODY):
    message = str(t).encode() + b"." + body
    return hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()


def case(name, header, expect, *, body=BODY, secrets=(S1,), now=NOW, tolerance=300, which=None):
    entry = {"name": name, "expect": expect, "now": now, "tolerance": tolerance,
             "secrets": list(secrets), "body_hex": body.hex()}
    if isinstance(header, bytes):
        entry["header_hex"] = header.hex()
    else:
        entry["header"] = header
    if expect == "ok":
        entry["which"] = 0 if which is None else which
    CASES.append(entry)


def main():
    good = mac(S1, NOW)
    other = mac(S2, NOW)
    zero = "0" * 64

    # What Stripe sends.
    case("plain", f"t={NOW},v1={good}", "ok")
    case("with v0", f"t={NOW},v1={good},v0={zero}", "ok")
    case("v1 before t", f"v1={good},t={NOW}", "ok")
    case("v0 first", f"v0={zero},t={NOW},v1={good}", "ok")
    case("two v1, first fits", f"t={NOW},v1={good},v1={other}", "ok")
    case("two v1, second fits", f"t={NOW},v1={other},v1={good}", "ok")
    case("rolling, old secret kept", f"t={NOW},v1={other},v1={good}", "ok", secrets=(S2, S1))
    case("second secret", f"t={NOW},v1={other}", "ok", secrets=(S1, S2), which=1)
    case("eighth secret", f"t={NOW},v1={good}", "ok",
         secrets=tuple(f"whsec_none{i}" for i in range(7)) + (S1,), which=7)
    case("unknown scheme skipped", f"t={NOW},v2={zero},v1={good}", "ok")
    case("scheme V1 is another one", f"t={NOW},V1={good},v1={good}", "ok")
    case("empty body", f"t={NOW},v1={mac(S1, NOW, b'')}", "ok", body=b"")
    case("body with NUL", f"t={NOW},v1={mac(S1, NOW, bytes(3))}", "ok", body=bytes(3))
    case("body with newlines", f"t={NOW},v1={mac(S1, NOW, b'a' + bytes([13, 10]))}", "ok",
         body=b"a\r\n")
    case("body with high bytes", f"t={NOW},v1={mac(S1, NOW, bytes(range(256)))}", "ok",
         body=bytes(range(256)))
    case("body with UTF-8", f"t={NOW},v1={mac(S1, NOW, 'Zoë 🙂'.encode())}", "ok",
         body="Zoë 🙂".encode())
    case("secret with umlaut", f"t={NOW},v1={mac('whsec_Ü', NOW)}", "ok", secrets=("whsec_Ü",))
    case("secret without prefix", f"t={NOW},v1={mac('plain', NOW)}", "ok", secrets=("plain",))
    long_secret = "whsec_" + "k" * 300
    case("secret longer than a block", f"t={NOW},v1={mac(long_secret, NOW)}", "ok",
         secrets=(long_secret,))
    case("large body", f"t={NOW},v1={mac(S1, NOW, b'x' * 3000)}", "ok", body=b"x" * 3000)

    # Time.
    for age in (-300, -299, -1, 0, 1, 299, 300):
        t = NOW - age
        case(f"age {age}", f"t={t},v1={mac(S1, t)}", "ok")
    for age in (301, 302, 3600, 86400, NOW):
        t = NOW - age
        case(f"age {age}", f"t={t},v1={mac(S1, t)}", "too_old")
    for age in (-301, -302, -3600, -86400, -(2**40)):
        t = NOW - age
        case(f"age {age}", f"t={t},v1={mac(S1, t)}", "in_future")
    case("largest time", f"t={2**63 - 1},v1={mac(S1, 2**63 - 1)}", "in_future")
    for age, expect in ((0, "ok"), (1, "too_old"), (-1, "in_future")):
        t = NOW - age
        case(f"tolerance 0, age {age}", f"t={t},v1={mac(S1, t)}", expect, tolerance=0)
    for age, expect in ((86400, "ok"), (86401, "too_old"), (-86400, "ok"), (-86401, "in_future")):
        t = NOW - age
        case(f"tolerance of a day, age {age}", f"t={t},v1={mac(S1, t)}", expect, tolerance=86400)
    case("old and unsigned is too old", f"t={NOW - 900},v1={zero}", "too_old")
    case("future and unsigned is in future", f"t={NOW + 900},v1={zero}", "in_future")
    case("after 2038", f"t={2**32},v1={mac(S1, 2**32)}", "ok", now=2**32)
    case("time zero at time zero", f"t=0,v1={mac(S1, 0)}", "ok", now=0)

    # Nothing there.
    case("no header", None, "missing_header")
    case("empty header", "", "missing_header")

    # Wrong signatures.
    case("other secret", f"t={NOW},v1={other}", "no_match")
    case("no secret configured", f"t={NOW},v1={good}", "no_match", secrets=())
    case("zeros", f"t={NOW},v1={zero}", "no_match")
    case("body changed", f"t={NOW},v1={good}", "no_match", body=BODY + b" ")
    case("body cut", f"t={NOW},v1={good}", "no_match", body=BODY[:-1])
    case("body with newline added", f"t={NOW},v1={good}", "no_match", body=BODY + b"\n")
    case("body re-encoded", f"t={NOW},v1={good}", "no_match",
         body=b'{"id": "evt_corpus1", "object": "event"}')
    case("body with BOM", f"t={NOW},v1={good}", "no_match", body=b"\xef\xbb\xbf" + BODY)
    case("body empty, signed full", f"t={NOW},v1={good}", "no_match", body=b"")
    case("time changed within tolerance", f"t={NOW - 1},v1={good}", "no_match")
    case("time and body run together", f"t={NOW},v1={mac(S1, NOW // 10)}", "no_match",
         body=b"0." + BODY)
    case("secret without whsec_", f"t={NOW},v1={mac(S1[6:], NOW)}", "no_match")
    case("secret in upper case", f"t={NOW},v1={mac(S1.upper(), NOW)}", "no_match")
    case("secret with newline", f"t={NOW},v1={mac(S1 + chr(10), NOW)}", "no_match")
    case("body without time signed", f"t={NOW},v1="
         + hmac.new(S1.encode(), BODY, hashlib.sha256).hexdigest(), "no_match")
    case("plain SHA-256", f"t={NOW},v1=" + hashlib.sha256(BODY).hexdigest(), "no_match")
    case("empty key", f"t={NOW},v1={mac('', NOW)}", "no_match")
    for blank in ("", " ", "\t", "\n", " \t\r\n "):
        case(f"blank secret {blank!r}", f"t={NOW},v1={mac(blank, NOW)}", "no_match",
             secrets=(blank,))
    case("blank secret beside a good one", f"t={NOW},v1={mac('', NOW)}", "no_match",
         secrets=("", S1))
    case("good secret beside a blank one", f"t={NOW},v1={good}", "ok", secrets=("", S1), which=1)
    for i in (0, 1, 31, 32, 62, 63):
        bad = good[:i] + ("0" if good[i] != "0" else "1") + good[i + 1:]
        case(f"digit {i} wrong", f"t={NOW},v1={bad}", "no_match")
    case("reversed", f"t={NOW},v1={good[::-1]}", "no_match")

    # No v1.
    case("only t", f"t={NOW}", "no_v1")
    case("only v0", f"t={NOW},v0={good}", "no_v1")
    case("only v2", f"t={NOW},v2={good}", "no_v1")
    case("only V1", f"t={NOW},V1={good}", "no_v1")
    case("only v10", f"t={NOW},v10={good}", "no_v1")
    case("only v", f"t={NOW},v={good}", "no_v1")
    case("old and only v0", f"t={NOW - 900},v0={good}", "no_v1")

    # No time.
    case("only v1", f"v1={good}", "no_timestamp")
    case("T instead of t", f"T={NOW},v1={good}", "no_timestamp")
    case("ts instead of t", f"ts={NOW},v1={good}", "no_timestamp")
    case("only v0 and v1", f"v0={zero},v1={good}", "no_timestamp")

    # Times that are none.
    for text in ("", "0" + str(NOW), "00", "+" + str(NOW), "-" + str(NOW), "-0", str(NOW) + ".0",
                 "1e9", "0x6aea", "NaN", "Infinity", "null", "true", "now", str(NOW) + "s",
                 str(2**63), str(2**64), str(2**64 + NOW), "9" * 30, "9" * 400,
                 "１７９３６１００００", "1_793_610_000", "1'793'610'000", str(NOW) + "%00", "t",
                 "=", str(NOW) + "=", "=" + str(NOW), "179361000O", "1793610000.", ".1793610000",
                 "1793610000;", "\"1793610000\""):
        shown = text if len(text) < 40 else text[:10] + "…"
        case(f"t={shown}", f"t={text},v1={good}", "malformed_header")
    case("t twice, same", f"t={NOW},t={NOW},v1={good}", "malformed_header")
    case("t twice, first good", f"t={NOW},v1={good},t={NOW - 900}", "malformed_header")
    case("t twice, last good", f"t={NOW - 900},v1={good},t={NOW}", "malformed_header")
    case("merged headers of one delivery", f"t={NOW},v1={good}, t={NOW},v1={good}",
         "malformed_header")
    case("merged without space", f"t={NOW},v1={good},t={NOW},v1={good}", "malformed_header")

    # Signatures that are none.
    for text in ("", good[:-1], good + "0", good.upper(), good[:32] + good[32:].upper(),
                 good[:-1] + "g", "0x" + good[2:], good + "=", "=" + good, "sha256" + good[6:],
                 good[:63] + "é", good[:32] + "-" + good[33:], good + good, "x"):
        shown = text if len(text) < 20 else text[:8] + f"… ({len(text)})"
        case(f"v1={shown}", f"t={NOW},v1={text}", "malformed_header")
    case("a good v1 does not excuse a bad one", f"t={NOW},v1={good},v1=x", "malformed_header")

    # Grammar.
    for name, header in {
        "trailing comma": f"t={NOW},v1={good},",
        "leading comma": f",t={NOW},v1={good}",
        "double comma": f"t={NOW},,v1={good}",
        "only a comma": ",",
        "space after comma": f"t={NOW}, v1={good}",
        "space before comma": f"t={NOW} ,v1={good}",
        "space at the end": f"t={NOW},v1={good} ",
        "space at the start": f" t={NOW},v1={good}",
        "space round the sign": f"t = {NOW},v1={good}",
        "tab": f"t={NOW},\tv1={good}",
        "semicolons": f"t={NOW};v1={good}",
        "no sign": f"t{NOW},v1{good}",
        "item without sign": f"t={NOW},v1={good},x",
        "item with empty key": f"t={NOW},v1={good},=x",
        "item with empty value": f"t={NOW},v1={good},x=",
        "item with two signs": f"t={NOW},v1={good},x=y=z",
        "newline": f"t={NOW},v1={good}\n",
        "carriage return": f"t={NOW}\r,v1={good}",
        "newline in the middle": f"t={NOW},\nv1={good}",
        "vertical tab": f"t={NOW},\x0bv1={good}",
        "DEL": f"t={NOW},v1={good},x=\x7f",
        "escape": f"t={NOW},v1={good},x=\x1b[2J",
        "no-break space": f"t={NOW},\u00a0v1={good}",
        "byte order mark": f"\ufefft={NOW},v1={good}",
        "quoted": f"\"t={NOW},v1={good}\" ",
        "JSON": "{\"t\": 1}",
        "bearer": "Bearer x y",
        "only spaces": "   ",
        "a word": "x",
        "a sign": "=",
    }.items():
        case(name, header, "malformed_header")
    case("high byte", b"t=%d,v1=%s,x=\xff" % (NOW, good.encode()), "malformed_header")
    case("latin-1 space", b"t=%d,\xa0v1=%s" % (NOW, good.encode()), "malformed_header")

    # Bounds.
    case("64 items", f"t={NOW},v1={good}," + ",".join(f"x{i}=1" for i in range(62)), "ok")
    case("65 items", f"t={NOW},v1={good}," + ",".join(f"x{i}=1" for i in range(63)),
         "malformed_header")
    case("1000 items", f"t={NOW},v1={good}," + ",".join("x=1" for i in range(1000)),
         "malformed_header")
    case("60 wrong v1 and a good one", f"t={NOW}," + ",".join(f"v1={zero}" for _ in range(56))
         + f",v1={good}", "ok")
    case("good v1 in the 65th place", f"t={NOW}," + ",".join("x=1" for _ in range(63))
         + f",v1={good}", "malformed_header")
    pad = 4096 - len(f"t={NOW},v1={good},x=")
    case("4096 bytes", f"t={NOW},v1={good},x=" + "y" * pad, "ok")
    case("4097 bytes", f"t={NOW},v1={good},x=" + "y" * (pad + 1), "malformed_header")
    case("64 KiB", f"t={NOW},v1={good},x=" + "y" * 65536, "malformed_header")

    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "signatures.json")
    with open(path, "w", encoding="utf-8") as out:
        json.dump(CASES, out, indent=0, ensure_ascii=True)
        out.write("\n")
    print(f"{len(CASES)} cases")


if __name__ == "__main__":
    main()
