//! Families on integers where their formulas are hard: large counts, rare events, nearly sure ones;
//! densities and slopes against 60 digits, both tails, quantiles, draws, and what is no count.

mod golden;

use golden::{assert_close, floats};
use probpipe::prelude::*;
use probpipe::*;
use probpipe_testing::statistics::chi_square;

const NAN: f64 = f64::NAN;

/// The family, the count, the parameters, the logarithm of the probability, and its slopes in the
/// parameters, NaN in numbers of trials. By mpmath from the definitions with 60 digits.
#[rustfmt::skip]
const CASES: &[(&str, f64, &[f64], f64, &[f64])] = &[
    ("Poisson", 10000000000.0, &[10000000000.0], -12.431863998183234, &[0.0]),
    ("Poisson", 10000000000.0, &[10000200000.0], -14.431837331916562, &[-1.999960000799984e-05]),
    ("Poisson", 10000000001.0, &[10000000000.0], -12.431863998283234, &[1e-10]),
    ("Poisson", 3.0, &[3.0000001], -1.4959226032237276, &[-3.3333332167669634e-08]),
    ("Poisson", 7.0, &[1e-300], -4843.953856648562, &[7e+300]),
    ("Poisson", 0.0, &[1e-20], -1e-20, &[-1.0]),
    ("Poisson", 1000000.0, &[1000.0], -5908763.105676033, &[999.0]),
    ("Poisson", 1000000000000000.0, &[1000000000000000.0], -18.188326730660016, &[0.0]),
    ("Poisson", 12.0, &[11.5], -2.179050071231434, &[0.043478260869565216]),
    ("Poisson", 1.0, &[10000000000.0], -9999999976.97415, &[-0.9999999999]),
    ("Binomial", 5000000000.0, &[10000000000.0, 0.5], -11.738716817639956, &[NAN, 0.0]),
    ("Binomial", 5000070000.0, &[10000000000.0, 0.5], -12.71871681757397, &[NAN, 280000.0]),
    ("Binomial", 3000000000.0, &[10000000000.0, 0.3], -11.651540124073916, &[NAN, 5.286776307738841e-07]),
    ("Binomial", 10.0, &[10000000000.0, 1e-09], -2.0785616426350586, &[NAN, -6.228159152006145e-07]),
    ("Binomial", 9999999993.0, &[10000000000.0, 0.999999999], -2.407065625361303, &[NAN, 2999999805.026474]),
    ("Binomial", 1.0, &[3.0, 1e-200], -459.41840631014105, &[NAN, 1e+200]),
    ("Binomial", 0.0, &[10000000000.0, 1e-12], -0.010000000000005, &[NAN, -10000000000.01]),
    ("Binomial", 4.0, &[9.0, 0.4444444], -1.3463722824244682, &[NAN, 1.6200000317721372e-06]),
    ("Binomial", 10000000000.0, &[10000000000.0, 0.999999999999], -0.009999778782803784, &[NAN, 10000000000.01]),
    ("BinomialLogits", 5000000000.0, &[10000000000.0, 0.0], -11.738716817639956, &[NAN, 0.0]),
    ("BinomialLogits", 3.0, &[10.0, -800.0], -2395.212508257218, &[NAN, 3.0]),
    ("BinomialLogits", 10.0, &[10.0, 40.0], -4.248354255291589e-17, &[NAN, 4.248354255291589e-17]),
    ("BinomialLogits", 9.0, &[10.0, 40.0], -37.69741490700596, &[NAN, -1.0]),
    ("BinomialLogits", 1000000000.0, &[10000000000.0, -2.2], -3475.000367974516, &[NAN, 2495108.8031486897]),
    ("BinomialLogits", 7.0, &[20.0, -0.6], -1.6914677631530648, &[NAN, -0.08687387548409105]),
    ("NegativeBinomial", 1000000000.0, &[1000000000.0, 0.5], -11.627145042082851, &[2.500000000625e-10, 0.0]),
    ("NegativeBinomial", 1000100000.0, &[1000000000.0, 0.5], -14.12709504624923, &[4.999900005416454e-05, 200000.0]),
    ("NegativeBinomial", 12.0, &[10000000000.0, 1e-09], -2.3561933781333377, &[1.9999999883999994e-10, 1999999989.9999993]),
    ("NegativeBinomial", 3.0, &[1000000000000000.0, 3e-15], -1.4959226032237274, &[-7.338685747019481e-30, -2.9462285823398346]),
    ("NegativeBinomial", 5.0, &[1e-10, 0.3], -30.65515286383157, &[10000000001.726658, 16.66666666652381]),
    ("NegativeBinomial", 0.0, &[2.5, 0.7], -3.0099320108148397, &[-1.203972804325936, -8.333333333333332]),
    ("NegativeBinomial", 100000000.0, &[0.5, 0.99999999], -19.993045695639445, &[1.9635100310461828, 50000001.25123798]),
    ("NegativeBinomial", 3.0, &[100000.0, 1e-200], -1348.8040088709947, &[2.999970000499991e-05, 3e+200]),
    ("NegativeBinomial", 17.0, &[4.0, 0.8], -3.192408480689426, &[0.15496841137624798, 1.2499999999999944]),
    ("NegativeBinomial2", 1000000000.0, &[1000000000.0, 1000000000.0], -11.627145042082851, &[0.0, 2.500000000625e-10]),
    ("NegativeBinomial2", 10.0, &[9.5, 1000000000000.0], -2.091494587015439, &[0.05263157894686842, 4.874999999954084e-24]),
    ("NegativeBinomial2", 3.0, &[1e-10, 0.5], -68.16126205864721, &[29999999993.0, -2.9333333321333335]),
    ("NegativeBinomial2", 1000000.0, &[1000000.0, 0.1], -16.39848176899789, &[0.0, 8.121169347416997]),
    ("NegativeBinomial2", 0.0, &[5.0, 100000000.0], -4.999999875000004, &[-0.9999999500000025, -1.2499999166666714e-15]),
    ("GammaPoisson", 1000000000.0, &[1000000000.0, 1.0], -11.627145042082851, &[2.500000000625e-10, 0.0]),
    ("GammaPoisson", 10.0, &[1000000000000.0, 100000000000.0], -2.0785616431400586, &[4.9999999999516664e-24, 0.0]),
    ("GammaPoisson", 3.0, &[0.5, 100000000.0], -56.42519307666278, &[3.066666656666667, -2.999999965e-08]),
    ("GammaPoisson", 100.0, &[2.0, 0.02], -5.228793478225364, &[0.2654528750143044, -2.0408511482080084e-15]),
    ("BetaBinomial", 5000000000.0, &[2.0, 3.0, 10000000000.0], -22.620385822032294, &[0.390186152623388, -0.10981384717661198, NAN]),
    ("BetaBinomial", 1000000000.0, &[1000000000.0, 9000000000.0, 10000000000.0], -11.574464784255326, &[2.25000000061875e-10, 2.7777777779243826e-12, NAN]),
    ("BetaBinomial", 3.0, &[1000000000000.0, 2000000000000.0, 9.0], -1.2978107158115018, &[9.999999999974445e-25, 2.4999999999931943e-25, NAN]),
    ("BetaBinomial", 0.0, &[1e-05, 2.0, 50.0], -3.5188100538874036e-05, &[-3.5188069263148556, 6.2551518245823915e-06, NAN]),
    ("BetaBinomial", 10.0, &[0.3, 0.7, 10.0], -2.7181737817552336, &[2.8563714146710018, -2.928968253968254, NAN]),
    ("BetaBinomial", 4.0, &[2.5, 3.5, 9.0], -1.8412746886670117, &[0.12152569652569653, 0.008705183705183705, NAN]),
    ("BetaBinomial", 100000.0, &[0.001, 10000.0, 1000000.0], -1066.3967843227585, &[1007.4733224831621, -0.10426096571057718, NAN]),
    ("BetaNegativeBinomial", 1000000000.0, &[2.0, 3.0, 1000000000.0], -21.704095090958138, &[0.390186152023388, -0.10981384697661198, 4.999999995e-10]),
    ("BetaNegativeBinomial", 3.0, &[10000000000.0, 10000000000.0, 2.0], -2.0794415417798358, &[4.9999999995e-11, -4.9999999985e-11, 0.390186152698388]),
    ("BetaNegativeBinomial", 50.0, &[0.6, 3.0, 9.0], -9.20506242894214, &[2.4615628654440047, -1.473216610704991, 0.24230233789017067]),
    ("BetaNegativeBinomial", 0.0, &[2.0, 3.0, 4.0], -1.5404450409471488, &[-0.6345238095238095, 0.31547619047619047, -0.26785714285714285]),
    ("BetaNegativeBinomial", 1000000.0, &[0.5, 0.5, 3.0], -21.360172426004183, &[1.3862908611260156, -11.326063056193057, 0.18037130554977604]),
    ("Geometric", 10000000000.0, &[1e-10], -24.025850929990458, &[-1.0000003644219733]),
    ("Geometric", 0.0, &[1e-300], -690.7755278982137, &[9.999999999999999e+299]),
    ("Geometric", 5.0, &[0.9999999999], -115.12925423610045, &[-49999995861.98179]),
];

fn log_prob(family: &str, p: &[Array], k: &Array) -> Array {
    match family {
        "BetaBinomial" => BetaBinomial::new(&p[0], &p[1], &p[2]).log_prob(k),
        "BetaNegativeBinomial" => BetaNegativeBinomial::new(&p[0], &p[1], &p[2]).log_prob(k),
        "Binomial" => Binomial::new(&p[0], &p[1]).log_prob(k),
        "BinomialLogits" => BinomialLogits::new(&p[0], &p[1]).log_prob(k),
        "GammaPoisson" => GammaPoisson::new(&p[0], &p[1]).log_prob(k),
        "Geometric" => Geometric::new(&p[0]).log_prob(k),
        "NegativeBinomial" => NegativeBinomial::new(&p[0], &p[1]).log_prob(k),
        "NegativeBinomial2" => NegativeBinomial2::new(&p[0], &p[1]).log_prob(k),
        _ => Poisson::new(&p[0]).log_prob(k),
    }
}

fn f64s(data: &[f64]) -> Array {
    Array::from_slice(data, [data.len()])
}

fn scalar(x: f64) -> Array {
    Array::from_slice(&[x], [0usize; 0])
}

#[test]
fn hard_densities_and_slopes() {
    for &(family, k, parameters, want, slopes) in CASES {
        let what = format!("{family}({parameters:?}) at {k}");
        let p: Vec<Array> = parameters.iter().map(|&x| scalar(x)).collect();
        let f = |p: Vec<Array>| log_prob(family, &p, &scalar(k));
        for compiled in [false, true] {
            let (value, slope) = match compiled {
                false => value_and_grad(f)(p.clone()),
                true => jit(value_and_grad(f))(p.clone()),
            };
            assert_close(&what, &floats(&value), &[want], 1e-12, 0.0);
            for ((have, want), p) in slope.iter().zip(slopes).zip(parameters) {
                if !want.is_nan() {
                    // To the last digits of the parameter at least.
                    let least = 1e-15 * want.abs().max(1.0 / p.abs().max(1.0));
                    assert_close(&format!("{what} slope"), &floats(have), &[*want], 1e-9, least);
                }
            }
        }
        let narrow: Vec<Array> = p.iter().map(|p| p.cast(DType::F32)).collect();
        let rounded: Vec<Array> = narrow.iter().map(|p| p.cast(DType::F64)).collect();
        let k = scalar(k).cast(DType::F32);
        let want = floats(&log_prob(family, &rounded, &k.cast(DType::F64)));
        if want[0].abs() < 1e30 {
            let have = floats(&log_prob(family, &narrow, &k));
            assert_close(&format!("{what} f32"), &have, &want, 1e-5, 1e-5);
        }
    }
}
