//! Addresses: the names of random choices, as paths with `/` between their parts. What lies at
//! them, others say.

use std::fmt::Display;

/// What names a random choice: a name, a path such as `"x/pos"`, or a name and a number, as
/// `("y", i)` in a loop of the host, which is `"y/3"`.
pub trait IntoAddress {
    /// The path.
    fn into_address(self) -> String;
}

impl IntoAddress for &str {
    fn into_address(self) -> String {
        self.to_string()
    }
}

impl IntoAddress for String {
    fn into_address(self) -> String {
        self
    }
}

impl IntoAddress for &String {
    fn into_address(self) -> String {
        self.clone()
    }
}

impl<A: IntoAddress, N: Display> IntoAddress for (A, N) {
    fn into_address(self) -> String {
        format!("{}/{}", self.0.into_address(), self.1)
    }
}

/// Whether an address is `other` or lies below it.
pub(super) fn within(address: &str, other: &str) -> bool {
    match address.strip_prefix(other) {
        Some(rest) => rest.is_empty() || rest.starts_with('/'),
        None => false,
    }
}

/// An address behind that of what it lies in.
pub(super) fn below(path: &str, address: &str) -> String {
    match path.is_empty() {
        true => address.to_string(),
        false => format!("{path}/{address}"),
    }
}

/// Whether all names of a path are there.
pub(super) fn is_whole(address: &str) -> bool {
    address.split('/').all(|name| !name.is_empty())
}

/// The address that was most likely meant: the fewest letters away, and not too many.
pub(super) fn nearest<'a>(
    address: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let far = address.chars().count().max(3).div_ceil(3);
    let near = known.into_iter().map(|other| (distance(address, other), other));
    near.filter(|(letters, _)| *letters <= far).min_by_key(|(letters, _)| *letters).map(|(_, a)| a)
}

/// How many letters must be put in, left out, changed or swapped with the next to get from one
/// text to the other.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows = vec![(0..=b.len()).collect::<Vec<usize>>()];
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let changed = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut least = changed.min(rows[i - 1][j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                least = least.min(rows[i - 2][j - 2] + 1);
            }
            row.push(least);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::{nearest, within};

    #[test]
    fn paths_and_neighbours() {
        assert!(within("x/pos", "x") && within("x", "x") && !within("xy", "x"));
        assert_eq!(nearest("x_um", ["a", "x_mu", "x"]), Some("x_mu"));
        assert_eq!(nearest("sigma", ["a", "b"]), None);
    }
}
