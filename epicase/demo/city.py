"""The invented city: its districts and 400 invented places, some visited far more than others."""

from dataclasses import dataclass

import numpy as np

PROVINCE_CODE, CITY_CODE = "990000", "990100"
PROVINCE, CITY = ("云汀省", "Yunting Province"), ("云汀市", "Yunting City")


@dataclass(frozen=True, slots=True)
class District:
    """A district with an area code that no real place has (99xxxx) and its street offices."""

    code: str
    name: str
    name_en: str
    towns: tuple[str, ...]
    weight: float


@dataclass(frozen=True, slots=True)
class Place:
    """A place that several people go to."""

    number: int
    name: str
    kind: str
    access: str
    district: int
    address: str
    ventilation: str


DISTRICTS = (
    District("990101", "鹭屿区", "Luyu District", ("望潮街道", "云桥街道", "听鹭街道"), 0.30),
    District("990102", "柏川区", "Baichuan District", ("柏溪街道", "川门街道"), 0.14),
    District("990103", "青屏县", "Qingping County", ("青屏镇", "屏南镇"), 0.08),
    District("990104", "松澜区", "Songlan District", ("松涛街道", "澜湾街道"), 0.09),
    District("990105", "枫渡区", "Fengdu District", ("枫桥头街道", "渡口里街道"), 0.08),
    District("990106", "石棠区", "Shitang District", ("石埠街道", "棠园街道"), 0.07),
    District("990107", "银汀区", "Yinting District", ("银沙街道", "汀洲里街道"), 0.06),
    District("990108", "星槎区", "Xingcha District", ("星河湾街道", "槎头街道"), 0.05),
    District("990109", "芦汀区", "Luting District", ("芦荡街道", "苇桥街道"), 0.04),
    District("990110", "槐堤县", "Huaidi County", ("槐荫里镇", "堤上镇"), 0.03),
    District("990111", "梧屿县", "Wuyu County", ("梧桐坞镇", "屿头镇"), 0.03),
    District("990112", "竹篱县", "Zhuli County", ("竹影镇", "篱门镇"), 0.03),
)

# kind: how many, who may enter, what the name ends with, ventilation
KINDS: dict[str, tuple[int, str, tuple[str, ...], tuple[str, ...]]] = {
    "workplace": (92, "members", ("商务楼", "科技园", "信息大厦", "设计室"), ("good", "poor")),
    "factory": (24, "members", ("电子三号楼", "纺织厂", "食品厂", "机械厂"), ("good",)),
    "school": (36, "members", ("小学", "中学", "职业学校"), ("good",)),
    "nursery": (12, "members", ("幼儿园",), ("good",)),
    "hospital": (24, "public", ("二院发热门诊", "社区卫生服务中心", "人民医院门诊"), ("good",)),
    "pharmacy": (20, "public", ("康宁药房", "百草药房"), ("good",)),
    "restaurant": (60, "public", ("面馆", "茶馆", "家常菜馆", "火锅店"), ("poor", "good")),
    "market": (30, "public", ("集市", "农贸市场"), ("open", "good")),
    "mall": (40, "public", ("超市", "购物中心", "百货"), ("good",)),
    "entertainment": (20, "public", ("影城", "棋牌室", "歌厅"), ("sealed", "poor")),
    "gym": (10, "public", ("健身馆", "游泳馆"), ("poor",)),
    "park": (20, "public", ("公园", "滨水步道"), ("open",)),
    "transport_hub": (8, "public", ("客运站", "地铁站"), ("good",)),
    "gov": (4, "public", ("政务服务大厅",), ("good",)),
}
# fmt: off
STEMS = (
    "望潮", "云桥", "听鹭", "柏溪", "川门", "青岚", "屏南", "松涛", "澜湾", "枫林", "渡月", "石埠",
    "棠园", "银沙", "汀兰", "星河", "槎影", "芦荡", "苇风", "槐荫", "梧桐", "竹影", "晴川", "临波",
    "栖霞里", "拾光", "南汀", "北屿", "东澜", "西棠", "花朝", "月泊", "长堤", "镜湖", "翠微里", "安澜",
)
# fmt: on
ROADS = tuple(f"{stem}路" for stem in STEMS[:24])


def build(rng: np.random.Generator) -> list[Place]:
    """All places, each with a name of its own."""
    places: list[Place] = []
    names: set[str] = set()
    weights = [district.weight for district in DISTRICTS]
    for kind, (count, access, endings, air) in KINDS.items():
        # Every district has one place of each common kind; the rest follow the population.
        rest = rng.choice(len(DISTRICTS), size=max(count - len(DISTRICTS), 0), p=weights)
        for district in [*range(min(count, len(DISTRICTS))), *map(int, rest)]:
            name = _free_name(rng, names, DISTRICTS[district].name[:2], endings)
            address = f"{CITY[0]}{DISTRICTS[district].name}{rng.choice(ROADS)}{rng.integers(1, 400)}号"
            places.append(Place(len(places), name, kind, access, district, address, str(rng.choice(air))))
    return places


def _free_name(rng: np.random.Generator, taken: set[str], district: str, endings: tuple[str, ...]) -> str:
    while True:
        name = f"{rng.choice(STEMS)}{rng.choice(endings)}"
        if name in taken:
            name = f"{district}{name}"
        if name not in taken:
            taken.add(name)
            return name


class Popularity:
    """Chooses places of a kind near a district; the k-th is chosen with weight 1/k (Zipf)."""

    def __init__(self, places: list[Place], rng: np.random.Generator) -> None:
        self._rng = rng
        self._places = places
        self._ranked: dict[tuple[str, int], list[Place]] = {}
        for place in places:
            self._ranked.setdefault((place.kind, place.district), []).append(place)
            self._ranked.setdefault((place.kind, -1), []).append(place)

    def place(self, number: int | None) -> Place | None:
        """The place with this number."""
        return None if number is None else self._places[number]

    def choose(self, kind: str, district: int) -> Place:
        """A place of this kind: three times out of four in the district itself, if it has one."""
        near = self._ranked.get((kind, district), [])
        ranked = near if near and self._rng.random() < 0.75 else self._ranked[(kind, -1)]
        weights = 1.0 / np.arange(1, len(ranked) + 1)
        return ranked[int(self._rng.choice(len(ranked), p=weights / weights.sum()))]
