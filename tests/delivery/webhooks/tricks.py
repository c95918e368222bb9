"""Tricks by which a URL leads inside, as the collections of testers have them: that none works is what is tested.

Among others https://github.com/swisskyrepo/PayloadsAllTheThings (Server Side Request Forgery),
https://cheatsheetseries.owasp.org, https://blog.orange.tw (A New Era of SSRF).
"""

# ruff: noqa: RUF001  # letters that look like others are tricks, too

from __future__ import annotations

__all__ = ["INSIDE", "LOOPBACK", "NAMES", "TWISTED"]

INSIDE = [
    # IPv4, special blocks, first and last of some
    *("0.0.0.0", "0.0.0.1", "0.255.255.255", "10.0.0.0", "10.255.255.255", "100.64.0.0", "100.127.255.255"),
    *("127.0.0.1", "127.0.0.2", "127.255.255.254", "169.254.0.1", "172.16.0.1", "172.31.255.255"),
    *("192.0.0.1", "192.0.0.8", "192.0.0.9", "192.0.0.170", "192.0.2.1", "192.31.196.1", "192.52.193.1"),
    *("192.88.99.1", "192.168.0.1", "192.168.255.255", "192.175.48.1", "198.18.0.1", "198.19.255.255"),
    *("198.51.100.1", "203.0.113.1", "224.0.0.1", "233.252.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255"),
    # metadata of clouds: AWS, Azure and others; AWS ECS; Alibaba; Oracle; AWS by IPv6; AWS name server
    *("169.254.169.254", "169.254.170.2", "100.100.100.200", "192.0.0.192", "fd00:ec2::254", "169.254.169.253"),
    # IPv6
    *("::", "::1", "::2", "::127.0.0.1", "::a9fe:a9fe", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "::ffff:8.8.8.8"),
    *("::ffff:0:127.0.0.1", "64:ff9b::127.0.0.1", "64:ff9b::8.8.8.8", "64:ff9b:1::127.0.0.1", "64:ff9b:1:ffff::1"),
    *("100::1", "100:0:0:1::1", "2001::1", "2001:0:7f00:1::", "2001:1::1", "2001:2::1", "2001:10::1", "2001:20::1"),
    *("2001:30::1", "2001:db8::1", "2002:7f00:1::", "2002:a9fe:a9fe::1", "2002:808:808::1", "2620:4f:8000::1"),
    *("2606:4700::5efe:7f00:1", "2606:4700::200:5efe:7f00:1", "3ffe::1", "3fff::1", "4000::1", "5f00::1", "8000::1"),
    *("fc00::1", "fd12:3456::1", "fe80::1", "fe80::1%1", "fec0::1", "ff01::1", "ff02::1", "ff05::1", "ff0e::1"),
]
"""Addresses that are not public."""

LOOPBACK = [
    *("127.0.0.1", "localhost", "LOCALHOST", "LocalHost", "127.1", "127.0.1", "2130706433", "0x7f000001", "0x7F000001"),
    *("017700000001", "0177.0.0.1", "0177.0.1", "0177.1", "0x7f.1", "0x7f.0.0.1", "0x7f.0x0.0x0.0x1", "00177.0.0.01"),
    *(
        "127.000.000.001",
        "0x7f.1.0x0.1",
        "127.0x1",
        "127.00000001",
        "127.0.0x1",
        "127.1.2.3",
        "127.65535",
    ),
    *("0", "0.0.0.0", "00.0", "0x0", "0x00000000"),
    # letters and digits of other scripts, which names are made of again
    *(
        "①②⑦.0.0.1",
        "①②⑦.⓪.⓪.①",
        "１２７.０.０.１",
        "𝟏𝟐𝟕.0.0.1",
        "127。0。0。1",
        "127．0．0．1",
        "127｡0｡0｡1",
        "ⓛⓞⓒⓐⓛⓗⓞⓢⓣ",
    ),
    *("ｌｏｃａｌｈｏｓｔ", "loc\u00adalhost", "𝓵𝓸𝓬𝓪𝓵𝓱𝓸𝓼𝓽"),
    *("[::1]", "[::]", "[0:0:0:0:0:0:0:1]", "[0000::0001]", "[0::1]", "[::0.0.0.1]", "[::127.0.0.1]", "[::7f00:1]"),
    *(
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[0:0:0:0:0:ffff:127.0.0.1]",
        "[::ffff:0:0]",
        "[::1%1]",
        "[::ffff:0.0.0.0]",
    ),
]
"""Hosts that lead, or might lead, to this machine; by the C library, by the codec for names, or as they are."""

TWISTED = [
    *(
        "http://good.example@127.0.0.1:{port}/",
        "http://good.example:443@127.0.0.1:{port}/",
        "http://a:b@127.0.0.1:{port}",
    ),
    *(
        "http://127.0.0.1:{port}@127.0.0.1:{port}/",
        "http://good.example%40127.0.0.1:{port}/",
        "http://@127.0.0.1:{port}/",
    ),
    *(
        "http://127.0.0.1:{port}#@good.example/",
        "http://127.0.0.1:{port}#good.example",
        "http://good.example#@127.0.0.1:{port}/",
    ),
    *(
        "http://127.0.0.1:{port}\\@good.example/",
        "http://good.example\\@127.0.0.1:{port}/",
        "http:\\\\127.0.0.1:{port}/",
    ),
    *(
        "http:/\\127.0.0.1:{port}/",
        "http://127.0.0.1\\.good.example:{port}/",
        "http://127.0.0.1:{port}\\.good.example/",
    ),
    *("http://127.0.0.1 :{port}/", "http://127.0.0.1:{port} @good.example/", "http://good.example @127.0.0.1:{port}/"),
    *("http://127.0.0.1\t:{port}/", "http://127.0.0.1:{port}\t@good.example/", "ht\ntp://127.0.0.1:{port}/"),
    *(
        "http://127.0.0.1%00.good.example:{port}/",
        "http://127.0.0.1\x00.good.example:{port}/",
        "\x0bhttp://127.0.0.1:{port}/",
    ),
    *("http://%31%32%37.0.0.1:{port}/", "http://127%2e0%2e0%2e1:{port}/", "http://%6c%6f%63%61%6c%68%6f%73%74:{port}/"),
    *(
        "http://127.0.0.1:{port}:80/",
        "http://127.0.0.1:80:{port}/",
        "http://127.0.0.1::{port}/",
        "http://127.0.0.1:{port}?@a:1/#",
    ),
    *(
        "http://[127.0.0.1]:{port}/",
        "http://[::1]@good.example:{port}/",
        "http://[::1]good.example:{port}/",
        "http://[::1%25lo]:{port}/",
    ),
    *(
        "http://good.example/\r\nHost: 127.0.0.1:{port}",
        "http:127.0.0.1:{port}/",
        "http:///127.0.0.1:{port}/",
        "//127.0.0.1:{port}/",
    ),
    *(
        "gopher://127.0.0.1:{port}/_POST",
        "dict://127.0.0.1:{port}/",
        "ftp://127.0.0.1:{port}/",
        "jar:http://127.0.0.1:{port}!/",
    ),
    *(
        "file:///etc/passwd",
        "file://127.0.0.1:{port}/etc/passwd",
        "url:http://127.0.0.1:{port}/",
        "0://127.0.0.1:{port};good.example/",
    ),
]
"""URLs that two readers read differently, and those of other protocols."""

NAMES = {
    "127.0.0.1.nip.io": "127.0.0.1",
    "10.0.0.1.nip.io": "10.0.0.1",
    "169-254-169-254.sslip.io": "169.254.169.254",
    "7f000001.nip.io": "127.0.0.1",
    "--1.sslip.io": "::1",
    "localtest.me": "127.0.0.1",
    "ip6.localtest.example": "::1",
    "customer.localhost": "127.0.0.1",
    "metadata.google.internal": "169.254.169.254",
    "kubernetes.default.svc": "10.96.0.1",
    "mapped.example": "::ffff:127.0.0.1",
    "six-to-four.example": "2002:7f00:1::",
    "nat64.example": "64:ff9b::7f00:1",
    "zero.example": "0.0.0.0",
    "linked.example": "fe80::1",
}
"""Names of whoever has a name server, and where they lead."""
