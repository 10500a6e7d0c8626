//! Resident identity numbers (居民身份证号, GB 11643): 18 places, the last a check digit
//! (ISO 7064 MOD 11-2), day of birth in the middle, sex in the last digit but one.

/// Says whether a number has the right form, an existing day of birth and the right check digit.
pub fn is_valid(number: &str) -> bool {
    birth(number).is_some() && check_digit(number) == number.chars().nth(17)
}

/// Returns the day of birth, `YYYY-MM-DD`, if the number has the right form.
pub fn birth(number: &str) -> Option<String> {
    let bytes = number.as_bytes();
    let formed = bytes.len() == 18
        && bytes[..17].iter().all(u8::is_ascii_digit)
        && (bytes[17].is_ascii_digit() || bytes[17] == b'X');
    if !formed {
        return None;
    }
    let day = format!("{}-{}-{}", &number[6..10], &number[10..12], &number[12..14]);
    is_day(&day).then_some(day)
}

/// Says whether the number belongs to a man.
pub fn is_male(number: &str) -> Option<bool> {
    birth(number).map(|_| number.as_bytes()[16] % 2 == 1)
}

/// Returns the number as people other than its entitled readers see it: 610402********1234.
pub fn mask(number: &str) -> String {
    let chars: Vec<char> = number.chars().collect();
    if chars.len() < 11 {
        return "*".repeat(chars.len());
    }
    let (head, tail) = (&chars[..6], &chars[chars.len() - 4..]);
    head.iter()
        .copied()
        .chain(std::iter::repeat_n('*', chars.len() - 10))
        .chain(tail.iter().copied())
        .collect()
}

/// Returns a telephone number masked: 138****5678.
pub fn mask_phone(number: &str) -> String {
    let chars: Vec<char> = number.chars().collect();
    if chars.len() < 9 {
        return "*".repeat(chars.len());
    }
    let (head, tail) = (&chars[..3], &chars[chars.len() - 4..]);
    head.iter()
        .copied()
        .chain(std::iter::repeat_n('*', chars.len() - 7))
        .chain(tail.iter().copied())
        .collect()
}

/// Says whether a text is an existing calendar day, `YYYY-MM-DD`, between 1850 and 2199.
pub fn is_day(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let [year, month, day] = parts[..] else {
        return false;
    };
    let digits = |part: &str, len: usize| {
        (part.len() == len && part.bytes().all(|b| b.is_ascii_digit()))
            .then(|| part.parse::<u32>().ok())
            .flatten()
    };
    let (Some(year), Some(month), Some(day)) = (digits(year, 4), digits(month, 2), digits(day, 2))
    else {
        return false;
    };
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let days = match month {
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        1..=12 => 31,
        _ => 0,
    };
    (1850..2200).contains(&year) && (1..=days).contains(&day)
}

fn check_digit(number: &str) -> Option<char> {
    const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    let mut sum = 0;
    for (char, weight) in number.chars().zip(WEIGHTS) {
        sum += char.to_digit(10)? * weight;
    }
    "10X98765432".chars().nth((sum % 11) as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_judged_by_form_day_and_check_digit() {
        // The example of GB 11643-1999.
        assert!(is_valid("11010519491231002X"));
        assert!(is_valid("440524188001010014"));
        for wrong in [
            "110105194912310021",
            "11010519491331002X",
            "11010519491231002x",
            "1101051949123100",
            "",
        ] {
            assert!(!is_valid(wrong), "{wrong}");
        }
        assert_eq!(birth("11010519491231002X").as_deref(), Some("1949-12-31"));
        assert_eq!(is_male("11010519491231002X"), Some(false));
    }

    #[test]
    fn masks_hide_the_middle() {
        assert_eq!(mask("11010519491231002X"), "110105********002X");
        assert_eq!(mask_phone("15412345678"), "154****5678");
        assert_eq!(mask("1"), "*");
    }

    #[test]
    fn days_exist_or_not() {
        assert!(is_day("2024-02-29") && is_day("2000-02-29"));
        assert!(!is_day("1900-02-29") && !is_day("2026-2-1") && !is_day("2026-00-10"));
    }
}
