//! Names of people and compounds: surnames by weight, given names by generation, some rare and some long.

use super::household::Sex;
use super::numbers::Dice;

/// Surnames with a rough weight.
#[rustfmt::skip]
const SURNAMES: &[(&str, u64)] = &[
    ("王", 78), ("李", 72), ("张", 74), ("刘", 56), ("陈", 34), ("杨", 36), ("赵", 31), ("黄", 12),
    ("周", 15), ("吴", 12), ("徐", 12), ("孙", 13), ("马", 20), ("朱", 9), ("胡", 11), ("郭", 16),
    ("何", 12), ("高", 14), ("林", 6), ("罗", 7), ("郑", 6), ("梁", 8), ("谢", 6), ("宋", 10),
    ("唐", 7), ("许", 7), ("韩", 11), ("冯", 10), ("邓", 5), ("曹", 7), ("彭", 5), ("曾", 3),
    ("肖", 5), ("田", 9), ("董", 10), ("袁", 6), ("潘", 4), ("于", 5), ("蒋", 4), ("蔡", 4),
    ("余", 4), ("杜", 8), ("叶", 4), ("程", 6), ("苏", 7), ("魏", 9), ("吕", 7), ("丁", 5),
    ("任", 9), ("沈", 3), ("姚", 7), ("卢", 4), ("姜", 5), ("崔", 6), ("钟", 3), ("谭", 3),
    ("陆", 3), ("汪", 3), ("范", 5), ("金", 3), ("石", 5), ("廖", 3), ("贾", 6), ("夏", 4),
    ("韦", 2), ("付", 4), ("方", 4), ("白", 6), ("邹", 3), ("孟", 4), ("熊", 3), ("秦", 6),
    ("邱", 3), ("江", 3), ("尹", 3), ("薛", 7), ("闫", 5), ("段", 4), ("雷", 6), ("侯", 5),
    ("龙", 2), ("史", 5), ("陶", 3), ("黎", 2), ("贺", 4), ("顾", 2), ("毛", 3), ("郝", 4),
    ("龚", 2), ("邵", 3), ("万", 3), ("钱", 2), ("严", 3), ("覃", 1), ("武", 4), ("戴", 2),
    ("莫", 1), ("孔", 2), ("向", 1), ("汤", 2), ("惠", 3), ("强", 2), ("寇", 2), ("屈", 2),
    ("拓", 1), ("蔺", 1), ("党", 2), ("景", 2), ("欧阳", 1), ("上官", 1), ("司马", 1), ("诸葛", 1),
    ("令狐", 1),
];
const MEN_OLD: &str =
    "建国军平福贵祥明德生学文成振兴宝发忠义海山林柱根来全有才金银满仓万年长友增双喜玉";
const WOMEN_OLD: &str = "秀英桂兰凤珍玉莲淑芳梅芝花香菊霞爱玲巧云翠娥改琴素贞彩雪竹侠粉绒";
const MEN_MIDDLE: &str = "伟强磊军勇涛斌超鹏辉刚波杰峰飞龙亮浩健林明东宁凯晓小志建文永利新民";
const WOMEN_MIDDLE: &str = "静丽敏艳娟霞燕娜萍红玲芳婷慧莉莹洁颖雪梅丹琳倩蓉晓小亚文海春";
const MEN_YOUNG: &str = "宇轩浩然子博文昊天泽嘉睿俊熙晨奕铭沐梓豪一诺瑞辰皓逸尘墨";
const WOMEN_YOUNG: &str = "欣怡梓涵诗雨萱佳琪雅可语桐若汐妍沐瑶芮依诺思淇一心悦宁朵";
/// Characters beyond the usual fonts and beyond 16 bits: a name must survive them.
const RARE: &[&str] = &[
    "䶮", "堃", "淼", "犇", "垚", "喆", "昇", "燚", "翀", "頔", "珺", "玥", "甯", "㛃", "𬱖", "𫍯",
    "𪚥",
];
const LONG_MEN: &[&str] = &[
    "阿卜杜热合曼·麦麦提",
    "买买提江·吐尔逊",
    "扎西多吉",
    "索朗旺堆",
    "巴特尔",
    "苏赫",
];
const LONG_WOMEN: &[&str] = &[
    "古丽娜尔·艾力",
    "热依汗古丽·阿不都克里木",
    "卓玛",
    "格桑央金",
    "其其格",
    "苏日娜",
];

#[rustfmt::skip]
const COMPOUND_FRONT: [&str; 30] = [
    "阳光", "嘉园", "锦绣", "和谐", "康乐", "盛世", "金泰", "银河", "绿地", "丽彩",
    "天福", "安泰", "秦韵", "渭水", "古渡", "朝阳", "秦风", "华苑", "明珠", "紫薇",
    "枫林", "翠屏", "兴华", "永安", "文苑", "学府", "世纪", "国际", "滨河", "长安",
];
#[rustfmt::skip]
const COMPOUND_BACK: [&str; 11] = [
    "小区", "花园", "家园", "新村", "苑", "公寓", "嘉苑", "名邸", "家属院", "雅居", "新居",
];

/// 30 fronts and 11 backs have no common factor: one grid meets all 330 names before one repeats.
pub(super) fn compound_name(grid_key: u64, number: u64) -> String {
    let index = usize::try_from(grid_key % 330 + number % 330).expect("a small number");
    format!(
        "{}{}",
        COMPOUND_FRONT[index % COMPOUND_FRONT.len()],
        COMPOUND_BACK[index % COMPOUND_BACK.len()]
    )
}

pub(super) fn surname(dice: &mut Dice) -> &'static str {
    dice.weigh(SURNAMES)
}

/// Returns a full name for a person born in `year`.
pub(super) fn full_name(dice: &mut Dice, surname: &str, sex: Sex, year: u64) -> String {
    if dice.chance(30) {
        let names = if sex == Sex::Male {
            LONG_MEN
        } else {
            LONG_WOMEN
        };
        return dice.pick(names).to_owned();
    }
    let mut name = surname.to_owned();
    push_given_name(dice, &mut name, sex, year);
    name
}

fn push_given_name(dice: &mut Dice, name: &mut String, sex: Sex, year: u64) {
    let (pool, one_character) = match (year, sex) {
        (..1962, Sex::Male) => (MEN_OLD, 1_200),
        (..1962, Sex::Female) => (WOMEN_OLD, 1_200),
        (..2000, Sex::Male) => (MEN_MIDDLE, 3_000),
        (..2000, Sex::Female) => (WOMEN_MIDDLE, 3_000),
        (_, Sex::Male) => (MEN_YOUNG, 1_000),
        (_, Sex::Female) => (WOMEN_YOUNG, 1_000),
    };
    if !dice.chance(one_character) {
        name.extend(character(dice, pool));
    }
    if dice.chance(40) {
        name.push_str(dice.pick(RARE));
    } else {
        name.extend(character(dice, pool));
    }
}

fn character(dice: &mut Dice, pool: &str) -> Option<char> {
    let index = dice.below(pool.chars().count() as u64);
    pool.chars().nth(usize::try_from(index).ok()?)
}
