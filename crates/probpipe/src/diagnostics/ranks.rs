//! Draws replaced by what their ranks say: the quantiles of the normal distribution at their ranks,
//! and draws folded at their median first, which shows differences of scale (Vehtari et al. 2021,
//! sections 3.2 and 4).

use super::draws::Chains;
use super::moments::median;

/// The normal quantiles at the ranks of draws among those of all chains, `ndtri((r - 3/8) / (n +
/// 1/4))` (Blom 1958). Equal draws have the mean of their ranks. All NaN where one is.
pub(super) fn z_scale(chains: &Chains) -> Chains {
    if chains.values.iter().any(|x| x.is_nan()) {
        return chains.map(|_| f64::NAN);
    }
    let n = chains.values.len() as f64;
    let z = |rank: f64| normal_quantile((rank - 0.375) / (n + 0.25));
    let values = ranks(&chains.values).into_iter().map(z).collect();
    Chains { values, draws: chains.draws }
}

/// The ranks of values, from 1; equal ones have the mean of theirs.
pub(super) fn ranks(values: &[f64]) -> Vec<f64> {
    let n = values.len();
    let mut order: Vec<(f64, usize)> = values.iter().copied().zip(0..).collect();
    order.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    let mut ranks = vec![0.0; n];
    let mut start = 0;
    while start < n {
        let end = (start + 1..n).find(|&i| order[i].0 != order[start].0).unwrap_or(n);
        let rank = (start + 1 + end) as f64 / 2.0;
        for &(_, at) in &order[start..end] {
            ranks[at] = rank;
        }
        start = end;
    }
    ranks
}

/// The distances from the median of all draws.
pub(super) fn fold(chains: &Chains) -> Chains {
    let middle = median(&chains.values);
    chains.map(|x| (x - middle).abs())
}

/// The quantile of the standard normal distribution for `0 < p < 1`: M. J. Wichura, "Algorithm AS
/// 241: the percentage points of the normal distribution", Applied Statistics 37 (1988), to about
/// one part in 10^16. `Array::ndtri` would be part of a program where one is being recorded.
fn normal_quantile(p: f64) -> f64 {
    let q = p - 0.5;
    if q.abs() <= 0.425 {
        return q * ratio(0.180625 - q * q, &CENTRE);
    }
    let r = (-p.min(1.0 - p).ln()).sqrt();
    let z = if r <= 5.0 { ratio(r - 1.6, &TAIL) } else { ratio(r - 5.0, &FAR_TAIL) };
    z.copysign(q)
}

/// A ratio of polynomials, coefficients from the constant on; that of the denominator is 1.
fn ratio(x: f64, [above, below]: &[[f64; 8]; 2]) -> f64 {
    let value = |c: &[f64; 8]| c.iter().rev().fold(0.0, |sum, c| sum * x + c);
    value(above) / value(below)
}

const CENTRE: [[f64; 8]; 2] = [
    [
        3.387_132_872_796_366_5,
        1.331_416_678_917_843_8e2,
        1.971_590_950_306_551_3e3,
        1.373_169_376_550_946e4,
        4.592_195_393_154_987e4,
        6.726_577_092_700_87e4,
        3.343_057_558_358_813e4,
        2.509_080_928_730_122_7e3,
    ],
    [
        1.0,
        4.231_333_070_160_091e1,
        6.871_870_074_920_579e2,
        5.394_196_021_424_751e3,
        2.121_379_430_158_659_7e4,
        3.930_789_580_009_271e4,
        2.872_908_573_572_194_3e4,
        5.226_495_278_852_854e3,
    ],
];

const TAIL: [[f64; 8]; 2] = [
    [
        1.423_437_110_749_683_5,
        4.630_337_846_156_546,
        5.769_497_221_460_691,
        3.647_848_324_763_204_5,
        1.270_458_252_452_368_4,
        2.417_807_251_774_506e-1,
        2.272_384_498_926_918_4e-2,
        7.745_450_142_783_414e-4,
    ],
    [
        1.0,
        2.053_191_626_637_759,
        1.676_384_830_183_803_8,
        6.897_673_349_851e-1,
        1.481_039_764_274_800_8e-1,
        1.519_866_656_361_645_7e-2,
        5.475_938_084_995_345e-4,
        1.050_750_071_644_416_9e-9,
    ],
];

const FAR_TAIL: [[f64; 8]; 2] = [
    [
        6.657_904_643_501_103,
        5.463_784_911_164_114,
        1.784_826_539_917_291_3,
        2.965_605_718_285_048_7e-1,
        2.653_218_952_657_612_4e-2,
        1.242_660_947_388_078_4e-3,
        2.711_555_568_743_487_6e-5,
        2.010_334_399_292_288_1e-7,
    ],
    [
        1.0,
        5.998_322_065_558_88e-1,
        1.369_298_809_227_358e-1,
        1.487_536_129_085_061_5e-2,
        7.868_691_311_456_133e-4,
        1.846_318_317_510_054_8e-5,
        1.421_511_758_316_446e-7,
        2.044_263_103_389_939_8e-15,
    ],
];

#[cfg(test)]
mod tests {
    use super::*;

    /// Against the distribution function: the tail, or the middle, that the quantile cuts off.
    #[test]
    fn quantiles_are_those_of_the_distribution_function() {
        let mut p = 1e-300;
        while p < 0.5 {
            let z = normal_quantile(p);
            let back = probpipe_trace::array(z).cast(probpipe_trace::DType::F64);
            let back = back.ndtr().item::<f64>().unwrap();
            // A relative error of z is z^2 times as large in the tail.
            let allowed = 1e-15 * (2.0 + z * z);
            assert!((back / p - 1.0).abs() < allowed, "{p}: {z} gives {back}");
            assert_eq!(normal_quantile(1.0 - 0.25), -normal_quantile(0.25));
            p = if p < 1e-3 { p * 7.0 } else { p + 0.003 };
        }
        assert_eq!(normal_quantile(0.5), 0.0);
    }

    #[test]
    fn equal_draws_share_a_rank() {
        let z = z_scale(&Chains { values: vec![2.0, 1.0, 2.0, -0.0, 0.0], draws: 5 });
        let at = |rank: f64| normal_quantile((rank - 0.375) / 5.25);
        assert_eq!(z.values, [at(4.5), at(3.0), at(4.5), at(1.5), at(1.5)]);
    }
}
