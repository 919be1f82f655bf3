//! The discrete Fourier transform of lengths that are powers of two, which is what sums over all
//! lags at once need. It is not tuned: long chains that mix badly are its one use.

use std::f64::consts::TAU;

/// Roots of unity for one length.
pub(super) struct Fourier {
    cosines: Vec<f64>,
    sines: Vec<f64>,
}

impl Fourier {
    /// For sequences of `length` numbers, a power of two.
    pub fn new(length: usize) -> Fourier {
        let root = |k: usize| (k as f64 / length as f64 * TAU).sin_cos();
        let (sines, cosines) = (0..length / 2).map(root).unzip();
        Fourier { cosines, sines }
    }

    /// `X_k = sum_j x_j exp(-2 pi i j k / n)` in place of `x`, given as real and imaginary parts.
    pub fn transform(&self, re: &mut [f64], im: &mut [f64]) {
        let n = re.len();
        if n < 2 {
            return;
        }
        let unused = usize::BITS - n.trailing_zeros();
        for i in 0..n {
            let j = i.reverse_bits() >> unused;
            if i < j {
                re.swap(i, j);
                im.swap(i, j);
            }
        }
        let mut half = 1;
        while half < n {
            let stride = n / 2 / half;
            for (re, im) in re.chunks_exact_mut(2 * half).zip(im.chunks_exact_mut(2 * half)) {
                let (re_low, re_high) = re.split_at_mut(half);
                let (im_low, im_high) = im.split_at_mut(half);
                for k in 0..half {
                    let (c, s) = (self.cosines[k * stride], self.sines[k * stride]);
                    let a = re_high[k] * c + im_high[k] * s;
                    let b = im_high[k] * c - re_high[k] * s;
                    (re_high[k], im_high[k]) = (re_low[k] - a, im_low[k] - b);
                    (re_low[k], im_low[k]) = (re_low[k] + a, im_low[k] + b);
                }
            }
            half *= 2;
        }
    }
}

/// `sum_i x_i x_(i + t)` for all lags `t` of a chain, and of all chains together: the transform of
/// the power spectrum of chains with zeros behind them (Wiener and Khinchin). Two chains go through
/// one transform, as the real and the imaginary parts, and all spectra through one back.
pub(super) fn products_at_lags(chains: &[&[f64]]) -> Vec<f64> {
    let draws = chains.iter().map(|c| c.len()).max().unwrap_or(0);
    let n = (2 * draws).next_power_of_two();
    let fourier = Fourier::new(n);
    let mut power = vec![0.0; n];
    for pair in chains.chunks(2) {
        let padded = |chain: Option<&&[f64]>| {
            let mut long = chain.map_or(Vec::new(), |chain| chain.to_vec());
            long.resize(n, 0.0);
            long
        };
        let (mut re, mut im) = (padded(pair.first()), padded(pair.get(1)));
        fourier.transform(&mut re, &mut im);
        for (k, power) in power.iter_mut().enumerate() {
            // The cross terms of the two chains cancel between k and -k.
            let back = (n - k) % n;
            let both = |k: usize| re[k] * re[k] + im[k] * im[k];
            *power += (both(k) + both(back)) / 2.0;
        }
    }
    let mut im = vec![0.0; n];
    fourier.transform(&mut power, &mut im);
    power.truncate(draws);
    power.iter().map(|x| x / n as f64).collect()
}

#[cfg(test)]
mod tests {
    use super::products_at_lags;

    #[test]
    fn products_are_those_of_the_definition() {
        let chain = |seed: usize| -> Vec<f64> {
            (0..23).map(|i| ((i * i * 7 + seed * 13 + 5 * i) % 31) as f64 - 15.0).collect()
        };
        for count in 0..4 {
            let chains: Vec<Vec<f64>> = (0..count).map(chain).collect();
            let slices: Vec<&[f64]> = chains.iter().map(Vec::as_slice).collect();
            let all = products_at_lags(&slices);
            for (lag, have) in all.iter().enumerate() {
                let of =
                    |c: &Vec<f64>| -> f64 { c.iter().zip(&c[lag..]).map(|(x, y)| x * y).sum() };
                let want: f64 = chains.iter().map(of).sum();
                assert!((have - want).abs() < 1e-10, "lag {lag} of {count}: {have} {want}");
            }
            assert_eq!(all.len(), if count == 0 { 0 } else { 23 });
        }
    }
}
