"""Hostile inputs with names: strings, numbers as JSON text (so NaN and 1e400 survive), and files of a catalogue.

Every file must give a report by row or a clean refusal: never a 5xx, never half an import.
"""

import io
import zipfile


def strings():
    return {
        "empty": "",
        "space": " ",
        "nul": "a\x00b",
        "newline": "690\n1234",
        "crlf header": "x\r\nSet-Cookie: a=b",
        "tab": "a\tb",
        "like all": "%",
        "like one": "_",
        "like many": "%" * 200,
        "like escape": "\\%",
        "quote": "'",
        "sql": "1' OR '1'='1",
        "sql2": "'; DROP TABLE sale;--",
        "fts": '" NEAR/1 *',
        "fts2": "AND OR NOT (",
        "html": "<script>alert(1)</script>",
        "attr": '" onmouseover=alert(1) x="',
        "jinja": "{{7*7}}",
        "path": "../../etc/passwd",
        "formula =": '=HYPERLINK("http://x","y")',
        "formula +": "+1+1",
        "formula -": "-2+3+cmd|' /C calc'!A0",
        "formula @": "@SUM(1)",
        "formula tab": "\t=1+1",
        "formula cr": "\r=1+1",
        "escpos drawer": "milk\x1bp\x00\x19\xfa",
        "escpos cut": "milk\x1dV\x00",
        "ansi": "\x1b[2J",
        "ean bad check": "6901234567890",
        "ean ok": "6901234567892",
        "ean leading 0": "0012345678905",
        "10k": "9" * 10_000,
        "1M": "A" * 1_000_000,
        "fullwidth": "６９０１",
        "arabic digits": "٦٩٠",
        "superscript": "²",
        "emoji": "🥛" * 50,
        "zwj": "a\u200db",
        "rtl": "\u202egnp.exe",
        "combining": "e\u0301" * 500,
        "nfc": "caf\u00e9",
        "nfd": "cafe\u0301",
        "lone surrogate": "\ud800",
        "bom": "\ufeffabc",
        "cjk": "可口可乐 330毫升",
        "turkish i": "İ",
        "null word": "null",
        "nan word": "NaN",
        "true": "true",
        "printf": "%s%n%x",
        "redos": "a" * 40 + "!",
        "url": "http://127.0.0.1:5432/",
        "year 0": "0000-00-00",
        "feb 30": "2026-02-30",
        "dst gap": "2026-03-29T02:30:00+01:00",
        "leap": "2026-12-31T23:59:60Z",
    }


def numbers():
    return {
        "zero": "0",
        "minus zero": "-0",
        "minus one": "-1",
        "half": "0.5",
        "third": "0.3333333333333333",
        "cent/1000": "0.00001",
        "0.1+0.2": "0.30000000000000004",
        "int32": "2147483648",
        "2^53+1": "9007199254740993",
        "int64 max": "9223372036854775807",
        "int64 over": "9223372036854775808",
        "minus int64 over": "-9223372036854775809",
        "1e308": "1e308",
        "1e400": "1e400",
        "nan": "NaN",
        "inf": "Infinity",
        "30 digits": "1" * 30,
        "5000 digits": "1" * 5000,
        "string": '"1"',
        "spaced": '" 1 "',
        "comma": '"1,5"',
        "true": "true",
        "null": "null",
        "list": "[1]",
        "object": "{}",
        "hex": '"0x10"',
        "arabic": '"١"',
        "empty": '""',
    }


def csv_files(header="barcode,name,price,stock", row="690{:010d},item {},1.50,10", big_rows=200_000):
    ok = header + "\n" + "".join(row.format(i, i) + "\n" for i in range(5))
    cn = header + "\n6900000000001,可口可乐 330毫升,3.00,10\n"
    z = io.BytesIO()
    with zipfile.ZipFile(z, "w", zipfile.ZIP_DEFLATED) as f:
        f.writestr("xl/worksheets/sheet1.xml", b"0" * 200_000_000)
    t = ok.split("\n")
    return {
        "ok.csv": ok.encode(),
        "empty.csv": b"",
        "header_only.csv": (header + "\n").encode(),
        "bom.csv": b"\xef\xbb\xbf" + ok.encode(),
        "gbk.csv": cn.encode("gbk"),
        "gb18030_rare.csv": (cn + "6900000000002,𠮷,1,1\n").encode("gb18030"),
        "utf16.csv": cn.encode("utf-16"),
        "latin1.csv": (header + "\n1,caf\u00e9,1,1\n").encode("latin-1"),
        "broken_utf8.csv": ok.encode() + b"1,\xff\xfe\x80,1,1\n",
        "cut_inside_char.csv": cn.encode()[:-12],
        "nul.csv": ok.encode() + b"1,a\x00b,1,1\n",
        "crlf.csv": ok.replace("\n", "\r\n").encode(),
        "cr_only.csv": ok.replace("\n", "\r").encode(),
        "no_last_newline.csv": ok.rstrip().encode(),
        "semicolon.csv": ok.replace(",", ";").encode(),
        "tabs.csv": ok.replace(",", "\t").encode(),
        "open_quote.csv": (header + '\n1,"never closed,1,1\n' + "x\n" * 5000).encode(),
        "quotes.csv": (header + '\n1,"a ""b"", c\nnew line",1,1\n').encode(),
        "short_row.csv": (ok + "1\n").encode(),
        "long_row.csv": (ok + "1,a,1,1,1,1,1\n").encode(),
        "dup_barcode.csv": (ok + t[1] + "\n" + t[1].replace("1.50", "9.99") + "\n").encode(),
        "dup_header.csv": ok.replace("stock", "price", 1).encode(),
        "wrong_header.csv": ok.replace("barcode", "code", 1).encode(),
        "reordered.csv": (
            ",".join(reversed(t[0].split(","))) + "\n" + ",".join(reversed(t[1].split(","))) + "\n"
        ).encode(),
        "prices.csv": (
            header
            + "".join(
                f"\n{i},p,{p},1"
                for i, p in enumerate(
                    [
                        "",
                        "-1",
                        "0",
                        "1.005",
                        "1,50",
                        "$1",
                        "1e3",
                        "NaN",
                        "inf",
                        "99999999999999999999",
                        "１.５０",
                        " 2 ",
                        "free",
                    ]
                )
            )
        ).encode(),
        "formulas.csv": (
            header
            + "".join(
                f'\n{i},"{s}",1,1' for i, s in enumerate(["=1+1", "+1", "-1", "@x", "\t=1", "=cmd|' /C calc'!A0"])
            )
        ).encode(),
        "scientific_barcode.csv": (header + "\n6.90E+12,excel ate it,1,1\n").encode(),
        "one_huge_field.csv": (header + "\n1," + "A" * 20_000_000 + ",1,1\n").encode(),
        "many_columns.csv": (",".join(f"c{i}" for i in range(20_000)) + "\n").encode(),
        "blank_lines.csv": ("\n" * 1000 + ok).encode(),
        "really_png.csv": b"\x89PNG\r\n\x1a\n" + bytes(range(256)),
        "really_html.csv": b"<html>captive portal</html>",
        "zip_bomb.xlsx": z.getvalue(),
        "big.csv": (header + "\n" + "".join(row.format(i, i) + "\n" for i in range(big_rows))).encode(),
    }
