"""Invented names, numbers, dates and addresses as scanners write them; nobody's, drawn by a seed."""

import random
from typing import Final, Literal

Kind = Literal["name_zh", "name_latin", "id", "date", "address_zh", "address_latin"]
KINDS: Final[tuple[Kind, ...]] = ("name_zh", "name_latin", "id", "date", "address_zh", "address_latin")
CHINESE: Final[frozenset[Kind]] = frozenset({"name_zh", "address_zh"})

_SURNAMES: Final = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈"
    "姚卢姜崔钟谭陆汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤"
    "欧"
)
_GIVEN: Final = (
    "芳娜敏静丽艳娟霞秀玲桂英兰凤洁梅琳素云莲真环雪荣爱妹香月莺媛瑞凡佳嘉琼勤珍贞莉淑惠珠翠雅芝玉萍红娥彩春菊"
)
_FAMILY: Final = [
    "WANG",
    "LI",
    "ZHANG",
    "LIU",
    "CHEN",
    "YANG",
    "ZHAO",
    "HUANG",
    "ZHOU",
    "WU",
    "SMITH",
    "JONES",
    "MUELLER",
    "SILVA",
    "SANTOS",
    "GARCIA",
    "NGUYEN",
    "TRAN",
    "KIM",
    "PARK",
    "IVANOVA",
    "KUMARI",
    "SHARMA",
    "O'NEILL",
    "FERREIRA",
    "MBEKI",
]
_FIRST: Final = [
    "Xiuying",
    "Guilan",
    "Yumei",
    "Fang",
    "Na",
    "Min",
    "Jing",
    "Li",
    "Yan",
    "Maria",
    "Ana",
    "Elena",
    "Priya",
    "Fatima",
    "Sofia",
    "Amina",
    "Hong",
    "Lan",
    "Mei",
    "Rosa",
    "Julia",
]
_PLACES: Final = [
    "河北省",
    "保定市",
    "云南省",
    "大理州",
    "四川省",
    "宜宾市",
    "甘肃省",
    "定西市",
    "贵州省",
    "毕节市",
    "河南省",
    "南阳市",
    "湖南省",
    "邵阳市",
    "广西",
    "百色市",
]
_VILLAGES: Final = [
    "李家村",
    "王庄",
    "石桥镇",
    "白水乡",
    "新民村",
    "柳林镇",
    "大湾村",
    "青山乡",
    "红旗村",
    "东河镇",
    "马场乡",
    "双桥村",
]
_HOSPITALS: Final = ["人民医院", "中医院", "妇幼保健院", "卫生院", "中心医院", "第一医院", "县医院"]
_TOWNS: Final = [
    "Baoding",
    "Dali",
    "Yibin",
    "Dingxi",
    "Bijie",
    "Nanyang",
    "Shaoyang",
    "Springfield",
    "Kingston",
    "Riverside",
    "Lusaka",
    "Nakuru",
]
_STREETS: Final = ["Main St", "Renmin Rd", "Hill Road", "Station Ave", "Park Lane", "Zhongshan Lu"]
_CLINICS: Final = [
    "Peoples Hospital",
    "County Hospital",
    "General Hospital",
    "Women and Children",
    "Medical Center",
    "Clinic No",
]


def string_of(kind: Kind, rng: random.Random) -> str:
    """One string of a kind."""
    return _MAKERS[kind](rng)


def _name_zh(rng: random.Random) -> str:
    name = rng.choice(_SURNAMES) + "".join(rng.choices(_GIVEN, k=rng.choice((1, 2, 2, 2))))
    return rng.choice((name, name, f"姓名:{name}", f"{name} 女", f"{name} {rng.randint(30, 75)}岁"))


def _name_latin(rng: random.Random) -> str:
    family, first = rng.choice(_FAMILY), rng.choice(_FIRST)
    return rng.choice(
        (f"{family} {first}", f"{family},{first}", f"{family}^{first.upper()}", f"Name: {first} {family.title()}")
    )


def _id(rng: random.Random) -> str:
    digits = "".join(rng.choices("0123456789", k=rng.choice((6, 8, 10))))
    long = (
        f"{rng.randint(110000, 659000)}{rng.randint(1945, 1995)}{rng.randint(1, 12):02}{rng.randint(1, 28):02}"
        + "".join(rng.choices("0123456789", k=3))
        + rng.choice("0123456789X")
    )
    return rng.choice((digits, f"ID: {digits}", f"ID:{digits}", f"{rng.choice('ABUSPH')}{digits}", long))


def _date(rng: random.Random) -> str:
    year, month, day = rng.randint(1948, 2026), rng.randint(1, 12), rng.randint(1, 28)
    clock = f"{rng.randint(0, 23):02}:{rng.randint(0, 59):02}:{rng.randint(0, 59):02}"
    return rng.choice(
        (
            f"{year}-{month:02}-{day:02}",
            f"{day:02}/{month:02}/{year}",
            f"{year}.{month:02}.{day:02} {clock}",
            f"{year}/{month:02}/{day:02} {clock[:5]}",
            f"DOB {day:02}.{month:02}.{year}",
        )
    )


def _address_zh(rng: random.Random) -> str:
    place, village = rng.choice(_PLACES), rng.choice(_VILLAGES)
    hospital = place + rng.choice(_HOSPITALS)
    return rng.choice((place + village, hospital, hospital, f"{village}{rng.randint(1, 180)}号"))


def _address_latin(rng: random.Random) -> str:
    town, street, clinic = rng.choice(_TOWNS), rng.choice(_STREETS), rng.choice(_CLINICS)
    return rng.choice(
        (f"{rng.randint(1, 240)} {street}, {town}", f"{town} {clinic}", f"{town.upper()} {clinic.upper()}")
    )


_MAKERS: Final = {
    "name_zh": _name_zh,
    "name_latin": _name_latin,
    "id": _id,
    "date": _date,
    "address_zh": _address_zh,
    "address_latin": _address_latin,
}
