//! The check digits of the standards, over ASCII bytes already known to be of the right alphabet.

/// ISO 7064 MOD 11-2 (GB 11643) over the digits before the check character: `0`–`9` or `X`.
pub(super) fn mod_11_2(digits: &[u8]) -> u8 {
    let sum = digits
        .iter()
        .fold(0, |sum, digit| (sum + u32::from(digit - b'0')) * 2 % 11);
    match (12 - sum) % 11 {
        10 => b'X',
        value => b'0' + value as u8,
    }
}

/// GB 32100: 31 symbols, weights 3^i mod 31, over the first 17 symbols.
pub(super) fn gb_32100(symbols: &[u8]) -> Option<u8> {
    let mut weight = 1;
    let mut sum = 0;
    for symbol in symbols {
        sum += value_32100(*symbol)? * weight;
        weight = weight * 3 % 31;
    }
    Some(ALPHABET_32100[(31 - sum % 31) % 31])
}

/// The symbols of GB 32100 in order of value: no I, O, S, V, Z.
pub(super) const ALPHABET_32100: &[u8; 31] = b"0123456789ABCDEFGHJKLMNPQRTUWXY";

fn value_32100(symbol: u8) -> Option<usize> {
    ALPHABET_32100.iter().position(|known| *known == symbol)
}

/// GB 11714 over the eight characters of an organisation code: `0`–`9` or `X`.
pub(super) fn gb_11714(characters: &[u8]) -> Option<u8> {
    const WEIGHTS: [u32; 8] = [3, 7, 9, 10, 5, 8, 4, 2];
    let values = characters.iter().map(|c| char::from(*c).to_digit(36));
    let sum = WEIGHTS
        .iter()
        .zip(values)
        .try_fold(0, |sum, (weight, value)| Some(sum + weight * value?))?;
    Some(match 11 - sum % 11 {
        10 => b'X',
        11 => b'0',
        value => b'0' + value as u8,
    })
}

/// Damm's quasigroup of order 10: the check digit catches every wrong digit and every swap of neighbours.
pub(super) fn damm(digits: impl IntoIterator<Item = u8>) -> u8 {
    const TABLE: [[u8; 10]; 10] = [
        [0, 3, 1, 7, 5, 9, 8, 6, 4, 2],
        [7, 0, 9, 2, 1, 5, 4, 8, 6, 3],
        [4, 2, 0, 6, 8, 7, 1, 3, 5, 9],
        [1, 7, 5, 0, 9, 8, 3, 4, 2, 6],
        [6, 1, 2, 3, 0, 4, 5, 9, 7, 8],
        [3, 6, 7, 4, 2, 0, 9, 5, 8, 1],
        [5, 8, 6, 9, 7, 2, 0, 1, 3, 4],
        [8, 9, 4, 5, 3, 6, 2, 0, 1, 7],
        [9, 4, 3, 8, 6, 1, 7, 2, 0, 5],
        [2, 5, 8, 1, 4, 3, 6, 7, 9, 0],
    ];
    digits.into_iter().fold(0, |interim, digit| {
        TABLE[usize::from(interim)][usize::from(digit)]
    })
}
