//! Check digits of card, bank and insurance numbers.

/// Luhn's check (ISO/IEC 7812-1, annex B) over ASCII digits.
pub(super) fn luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(index, digit)| {
            let value = u32::from(digit - b'0');
            match (index % 2, value) {
                (0, value) => value,
                (_, value) if value > 4 => value * 2 - 9,
                (_, value) => value * 2,
            }
        })
        .sum();
    sum.is_multiple_of(10)
}

/// Check digits of an IBAN without spaces (ISO 13616: ISO 7064 MOD 97-10, first four characters moved to the end).
pub(super) fn iban(characters: &[u8]) -> bool {
    let rotated = characters.iter().skip(4).chain(characters.iter().take(4));
    let remainder = rotated.fold(0_u32, |sum, &byte| match byte {
        b'0'..=b'9' => (sum * 10 + u32::from(byte - b'0')) % 97,
        _ => (sum * 100 + u32::from(byte - b'A') + 10) % 97,
    });
    remainder == 1
}

/// Control number of an eleven-digit СНИЛС (weights 9 to 1, modulo 101, 100 counts as 0).
pub(super) fn snils(digits: &[u8]) -> bool {
    if digits.len() != 11 {
        return false;
    }
    let weighted =
        digits[..9].iter().zip((1..=9).rev()).map(|(digit, weight)| u32::from(digit - b'0') * weight);
    let control = u32::from(digits[9] - b'0') * 10 + u32::from(digits[10] - b'0');
    weighted.sum::<u32>() % 101 % 100 == control
}
