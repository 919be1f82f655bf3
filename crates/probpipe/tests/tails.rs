//! Both tails of families of real numbers against values of mpmath: logarithms of probabilities
//! that are no numbers, quantiles of probabilities down to 1e-250 from either side, and what is
//! left of distributions that are cut far out. On the interpreter, compiled, and in both float
//! types.

mod golden;

use golden::floats;
use probpipe::distributions::*;
use probpipe::prelude::*;

const INF: f64 = f64::INFINITY;

/// One value: what it is, the parameters with the point, the function of them, and the value.
type Row = (&'static str, Vec<f64>, fn(&[Array]) -> Array, f64);

/// Rows as one reads them: a call and its value.
macro_rules! rows {
    ($($family:ident($($p:expr),+).$method:ident($($at:expr)?) = $want:expr;)+) => {
        vec![$({
            fn value(p: &[Array]) -> Array {
                let mut p = p.iter();
                let mut next = |_: f64| p.next().expect("a parameter");
                $family::new($(next($p)),+).$method($(next($at))?)
            }
            let text = stringify!($family($($p),+).$method($($at)?));
            (text, vec![$($p),+ $(, $at)?], value as fn(&[Array]) -> Array, $want)
        }),+]
    };
}

/// In `f64` to a relative tolerance.
fn check(tolerance: f64, rows: Vec<Row>) {
    let mut misses = Vec::new();
    for (what, at, value, want) in rows {
        let of = |dtype: DType| -> Vec<Array> {
            at.iter().map(|&x| Array::from(x).cast(dtype)).collect()
        };
        let compiled = |p: Vec<Array>| floats(&jit(|p: Vec<Array>| value(&p))(p))[0];
        let wide = of(DType::F64);
        for have in [floats(&value(&wide))[0], compiled(wide)] {
            let close = (have - want).abs() <= tolerance * want.abs();
            if !close {
                misses.push(format!("{what}: {have:e}, not {want:e}"));
            }
        }
        // In f32 at numbers of that type, where what they say is a number of it.
        let narrow = of(DType::F32);
        let rounded: Vec<Array> = narrow.iter().map(|x| x.cast(DType::F64)).collect();
        let (have, want) = (compiled(narrow), floats(&value(&rounded))[0]);
        let known = want.is_finite() && want.abs() < 1e38 && (want.abs() > 1e-37 || want == 0.0);
        if known && (have - want).abs() > 1e8 * tolerance * want.abs() {
            misses.push(format!("{what} in f32: {have:e}, not {want:e}"));
        }
    }
    assert!(misses.is_empty(), "{}", misses.join("\n"));
}

/// Survival functions beyond the range of numbers.
#[test]
fn logarithms_of_upper_tails() {
    check(
        1e-12,
        rows! {
            Gamma(2.5, 1.5).log_survival(10000.0) = -14985.860874652013;
            Gamma(0.001, 1.0).log_survival(800.0) = -813.5863524191052;
            Gamma(1000000.0, 1.0).log_survival(1050000.0) = -1214.6672117582427;
            Chi2(7.0).log_survival(10000.0) = -4979.907490598825;
            Chi(5.0).log_survival(200.0) = -19985.429376542605;
            InverseGamma(3.0, 2.0).log_survival(1e+200) = -1381.2633737239755;
            ExpGamma(0.7, 1.5).log_survival(9.0) = -12157.708422821666;
            GeneralizedNormal(0.2, 1.5, 1.4).log_survival(10000.0) = -225667.31308064645;
            Beta(0.5, 800.0).log_survival(0.75) = -1112.8066828817132;
            Beta(3.0, 5000.0).log_survival(0.5) = -3450.7799581385607;
            StudentT(50.0, 0.3, 1.2).log_survival(10000000000.0) = -1047.2558432228666;
            StudentT(4.0, 0.0, 1.0).log_survival(1e+200) = -1840.9694621065685;
            HalfStudentT(6.0, 0.5, 0.8).log_survival(1e+60) = -826.0573671878632;
            TwoPieceNormal(0.4, 1.2, 1.6).log_survival(10000.0) = -13562292.12133236;
            GammaGamma(2.0, 300.0, 4.0).log_survival(10000.0) = -2341.6270675896553;
            SigmoidBeta(1.5, 0.7).log_survival(10000.0) = -6999.686462598167;
            Dagum(1.5, 120.0, 2.0).log_survival(10000.0) = -1021.6577178618403;
        },
    );
}

/// Upper tails of beta numbers next to 0, where one less the number is 1.
#[test]
fn beta_numbers_next_to_zero() {
    // One less a probability of nearly 1.
    check(
        1e-10,
        rows! {
            Beta(2.5e-08, 0.0018).survival(1e-300) = 3.115762130303197e-05;
            Beta(2.5e-08, 0.0018).log_survival(1e-300) = -10.3764516780325;
            Beta(2.5e-08, 0.0018).log_cdf(1e-300) = -3.115810671179742e-05;
            Beta(0.01, 3.0).survival(1e-20) = 0.35954674748537985;
            Beta(0.01, 3.0).log_survival(1e-20) = -1.0229110755449717;
            Beta(0.01, 3.0).log_cdf(1e-20) = -0.445579146234602;
            Beta(1e-05, 0.5).survival(1e-08) = 0.0001980499720242028;
            Beta(1e-05, 0.5).log_survival(1e-08) = -8.526991175152594;
            Beta(1e-05, 0.5).log_cdf(1e-08) = -0.00019806958650972047;
        },
    );
}

/// Distribution functions below it.
#[test]
fn logarithms_of_lower_tails() {
    check(
        1e-12,
        rows! {
            Gamma(2.5, 1.5).log_cdf(1e-300) = -1727.1261305776109;
            Gamma(10000.0, 3.0).log_cdf(500.0) = -10476.561467739568;
            Chi2(900.0).log_cdf(1.0) = -2615.5502817459524;
            Chi(5.0).log_cdf(1e-100) = -1154.2263880507699;
            InverseGamma(3.0, 2.0).log_cdf(0.001) = -1985.4903422616424;
            ExpGamma(0.7, 1.5).log_cdf(-10000.0) = -6999.6203667269165;
            GeneralizedNormal(0.2, 1.5, 0.8).log_cdf(-100000.0) = -7228.196723979199;
            Beta(450.0, 7.0).log_cdf(0.001) = -3078.3731873675033;
            Beta(2.0, 0.5).log_cdf(1e-200) = -922.01486645063;
            BetaProportion(0.3, 900.0).log_cdf(0.001) = -1319.839877463416;
            StudentT(3000.0, 0.3, 1.2).log_cdf(-100.0) = -1808.6275274586746;
            TwoPieceNormal(0.4, 1.2, 1.6).log_cdf(-80.0) = -5752.090335145491;
            GammaGamma(40.0, 3.0, 4.0).log_cdf(1e-12) = -1153.9345245775203;
            SigmoidBeta(1.5, 0.7).log_cdf(-10000.0) = -15000.448602650215;
            Weibull(1.4, 30.0).log_cdf(1e-300) = -20733.360004045047;
            Kumaraswamy(12.0, 1.4).log_cdf(1e-300) = -8288.969862541942;
            FoldedNormal(0.7, 1.1).log_cdf(1e-12) = -28.154601987220577;
            FoldedNormal(50.0, 1.0).log_cdf(1e-300) = -1941.0013192508584;
            FoldedNormal(50.0, 1.0).log_cdf(0.5) = -1229.9463189088274;
            FoldedNormal(0.7, 1.1).log_cdf(0.4) = -1.4529634475066684;
            FoldedNormal(0.7, 1.1).log_cdf(2.0) = -0.13432263975836534;
        },
    );
}

/// Quantiles by the probability of more.
#[test]
fn upper_quantiles() {
    check(
        1e-12,
        rows! {
            AsymmetricLaplace(0.3, 1.2, 0.7).upper_quantile(1e-250) = 986.4385665060927;
            AsymmetricLaplace(0.3, 1.2, 0.7).upper_quantile(1e-30) = 118.03504571976687;
            AsymmetricLaplace(0.3, 1.2, 0.7).upper_quantile(0.001) = 11.458249986899604;
            AsymmetricLaplace(0.3, 1.2, 0.7).upper_quantile(0.7) = 0.22284869094747328;
            Beta(2.5, 0.8).upper_quantile(1e-250) = 1.0;
            Beta(2.5, 0.8).upper_quantile(1e-30) = 1.0;
            Beta(2.5, 0.8).upper_quantile(0.001) = 0.9999323736067325;
            Beta(2.5, 0.8).upper_quantile(0.7) = 0.676051317895465;
            BetaProportion(0.3, 5.0).upper_quantile(1e-250) = 1.0;
            BetaProportion(0.3, 5.0).upper_quantile(1e-30) = 0.9999999978927891;
            BetaProportion(0.3, 5.0).upper_quantile(0.001) = 0.8894448399828532;
            BetaProportion(0.3, 5.0).upper_quantile(0.7) = 0.1736406789591145;
            Chi2(3.5).upper_quantile(1e-250) = 1161.0097772536362;
            Chi2(3.5).upper_quantile(1e-30) = 144.76742641599662;
            Chi2(3.5).upper_quantile(0.001) = 17.389858670332334;
            Chi2(3.5).upper_quantile(0.7) = 1.8037944735550036;
            Dagum(1.5, 12.0, 2.0).upper_quantile(1e-250) = 1.4094108178806452e+21;
            Dagum(1.5, 12.0, 2.0).upper_quantile(1e-30) = 654.1905514247857;
            Dagum(1.5, 12.0, 2.0).upper_quantile(0.001) = 3.678528233215304;
            Dagum(1.5, 12.0, 2.0).upper_quantile(0.7) = 1.9656014532287922;
            DoublyTruncatedPowerLaw(-1.5, 0.5, 4.0).upper_quantile(1e-250) = 4.0;
            DoublyTruncatedPowerLaw(-1.5, 0.5, 4.0).upper_quantile(1e-30) = 4.0;
            DoublyTruncatedPowerLaw(-1.5, 0.5, 4.0).upper_quantile(0.001) = 3.985412603170906;
            DoublyTruncatedPowerLaw(-1.5, 0.5, 4.0).upper_quantile(0.7) = 0.7695357136817622;
            Exponential(1.5).upper_quantile(1e-250) = 383.7641821656743;
            Exponential(1.5).upper_quantile(1e-30) = 46.051701859880914;
            Exponential(1.5).upper_quantile(0.001) = 4.605170185988091;
            Exponential(1.5).upper_quantile(0.7) = 0.23778329595915496;
            Gompertz(0.6, 1.3).upper_quantile(1e-250) = 5.28258519292941;
            Gompertz(0.6, 1.3).upper_quantile(1e-30) = 3.657464488458711;
            Gompertz(0.6, 1.3).upper_quantile(0.001) = 1.9436631901982055;
            Gompertz(0.6, 1.3).upper_quantile(0.7) = 0.3588723207944202;
            Gumbel(0.4, 1.6).upper_quantile(1e-250) = 921.4340371976183;
            Gumbel(0.4, 1.6).upper_quantile(1e-30) = 110.9240844637142;
            Gumbel(0.4, 1.6).upper_quantile(0.001) = 11.451608112837947;
            Gumbel(0.4, 1.6).upper_quantile(0.7) = 0.10299718582021518;
            HalfCauchy(1.3).upper_quantile(1e-250) = 8.276057040778558e+249;
            HalfCauchy(1.3).upper_quantile(1e-30) = 8.276057040778557e+29;
            HalfCauchy(1.3).upper_quantile(0.001) = 827.6050233993356;
            HalfCauchy(1.3).upper_quantile(0.7) = 0.6623830843427576;
            HalfNormal(0.8).upper_quantile(1e-250) = 27.056055709349103;
            HalfNormal(0.8).upper_quantile(1e-30) = 9.2191068619042;
            HalfNormal(0.8).upper_quantile(0.001) = 2.632421385193516;
            HalfNormal(0.8).upper_quantile(0.7) = 0.30825637312605414;
            InverseGamma(12.0, 1.7).upper_quantile(1e-250) = 2.1898826412424262e+20;
            InverseGamma(12.0, 1.7).upper_quantile(1e-30) = 101.5145006786395;
            InverseGamma(12.0, 1.7).upper_quantile(0.001) = 0.42053800862756624;
            InverseGamma(12.0, 1.7).upper_quantile(0.7) = 0.12547995494293404;
            Kumaraswamy(2.1, 1.4).upper_quantile(1e-250) = 1.0;
            Kumaraswamy(2.1, 1.4).upper_quantile(1e-30) = 1.0;
            Kumaraswamy(2.1, 1.4).upper_quantile(0.001) = 0.9965664419829952;
            Kumaraswamy(2.1, 1.4).upper_quantile(0.7) = 0.4913905753688257;
            Levy(0.5, 0.8).upper_quantile(1e-30) = 5.09295817894065e+59;
            Levy(0.5, 0.8).upper_quantile(0.001) = 509296.05122735654;
            Levy(0.5, 0.8).upper_quantile(0.7) = 1.244744313182521;
            LogNormal(0.2, 0.4).upper_quantile(1e-250) = 908758.3253223184;
            LogNormal(0.2, 0.4).upper_quantile(1e-30) = 119.77438826371662;
            LogNormal(0.2, 0.4).upper_quantile(0.001) = 4.204237404280959;
            LogNormal(0.2, 0.4).upper_quantile(0.7) = 0.9902872711336649;
            LogUniform(0.3, 7.0).upper_quantile(1e-250) = 7.0;
            LogUniform(0.3, 7.0).upper_quantile(1e-30) = 7.0;
            LogUniform(0.3, 7.0).upper_quantile(0.001) = 6.977985509063073;
            LogUniform(0.3, 7.0).upper_quantile(0.7) = 0.7718169115327335;
            LowerTruncatedPowerLaw(-14.0, 0.7).upper_quantile(1e-250) = 1.1908779958968121e+19;
            LowerTruncatedPowerLaw(-14.0, 0.7).upper_quantile(1e-30) = 142.1642334633315;
            LowerTruncatedPowerLaw(-14.0, 0.7).upper_quantile(0.001) = 1.190877995896812;
            LowerTruncatedPowerLaw(-14.0, 0.7).upper_quantile(0.7) = 0.7194714672572177;
            Pareto(0.7, 12.0).upper_quantile(1e-250) = 4.769044483405729e+20;
            Pareto(0.7, 12.0).upper_quantile(1e-30) = 221.35943621178654;
            Pareto(0.7, 12.0).upper_quantile(0.001) = 1.2447955870272458;
            Pareto(0.7, 12.0).upper_quantile(0.7) = 0.7211183328416865;
            RelaxedBernoulliLogits(0.8, 0.6).upper_quantile(1e-250) = 1.0;
            RelaxedBernoulliLogits(0.8, 0.6).upper_quantile(1e-30) = 1.0;
            RelaxedBernoulliLogits(0.8, 0.6).upper_quantile(0.001) = 0.9999159019833808;
            RelaxedBernoulliLogits(0.8, 0.6).upper_quantile(0.7) = 0.4233289837050521;
            SoftLaplace(0.2, 0.9).upper_quantile(1e-250) = 517.8752214888998;
            SoftLaplace(0.2, 0.9).upper_quantile(1e-30) = 61.963373076078724;
            SoftLaplace(0.2, 0.9).upper_quantile(0.001) = 6.010554576102658;
            SoftLaplace(0.2, 0.9).upper_quantile(0.7) = -0.40684792986413476;
            Weibull(1.4, 1.8).upper_quantile(1e-250) = 47.813206253540876;
            Weibull(1.4, 1.8).upper_quantile(1e-30) = 14.722511191741498;
            Weibull(1.4, 1.8).upper_quantile(0.001) = 4.096626194067992;
            Weibull(1.4, 1.8).upper_quantile(0.7) = 0.7895699151956183;
            FoldedNormal(-0.7, 1.1).upper_quantile(1e-250) = 37.87954478996432;
            FoldedNormal(-0.7, 1.1).upper_quantile(1e-30) = 13.310427174881275;
            FoldedNormal(-0.7, 1.1).upper_quantile(0.001) = 4.101339509639042;
            FoldedNormal(-0.7, 1.1).upper_quantile(0.7) = 0.5176299476626364;
            LeftTruncatedGamma(2.2, 1.4, 1.0).upper_quantile(1e-250) = 416.8734296358612;
            LeftTruncatedGamma(2.2, 1.4, 1.0).upper_quantile(1e-30) = 53.285343286677055;
            LeftTruncatedGamma(2.2, 1.4, 1.0).upper_quantile(0.001) = 7.237014751403501;
            LeftTruncatedGamma(2.2, 1.4, 1.0).upper_quantile(0.7) = 1.449880399387464;
            LeftTruncatedNormal(0.2, 1.1, 0.5).upper_quantile(1e-250) = 37.40993969629701;
            LeftTruncatedNormal(0.2, 1.1, 0.5).upper_quantile(1e-30) = 12.899180423561882;
            LeftTruncatedNormal(0.2, 1.1, 0.5).upper_quantile(0.001) = 3.8938090096990576;
            LeftTruncatedNormal(0.2, 1.1, 0.5).upper_quantile(0.7) = 0.8582879156594257;
            RightTruncatedNormal(0.2, 1.1, 0.5).upper_quantile(1e-250) = 0.5;
            RightTruncatedNormal(0.2, 1.1, 0.5).upper_quantile(1e-30) = 0.5;
            RightTruncatedNormal(0.2, 1.1, 0.5).upper_quantile(0.001) = 0.49826194113884603;
            RightTruncatedNormal(0.2, 1.1, 0.5).upper_quantile(0.7) = -0.7975453690790995;
            TruncatedCauchy(0.5, 1.5, -1.0, 3.0).upper_quantile(1e-250) = 3.0;
            TruncatedCauchy(0.5, 1.5, -1.0, 3.0).upper_quantile(1e-30) = 3.0;
            TruncatedCauchy(0.5, 1.5, -1.0, 3.0).upper_quantile(0.001) = 2.9897416418998324;
            TruncatedCauchy(0.5, 1.5, -1.0, 3.0).upper_quantile(0.7) = 0.13186647730325465;
            StudentT(0.05, 0.3, 1.2).upper_quantile(0.001) = 1.305125361120225e+53;
            StudentT(0.05, 0.3, 1.2).upper_quantile(0.7) = -3742.7629752395037;
        },
    );
}

/// Quantiles by the probability of less.
#[test]
fn quantiles() {
    check(
        1e-12,
        rows! {
            StudentT(0.05, 0.0, 1.2).quantile(1e-08) = -1.3051253611202083e+153;
            StudentT(0.4, 0.0, 1.2).quantile(1e-08) = -7.62299555171149e+18;
            StudentT(1000000000.0, 0.0, 1.0).quantile(1e-08) = -5.612001289764664;
            StudentT(0.05, 0.0, 1.2).quantile(0.001) = -1.305125361120225e+53;
            StudentT(0.4, 0.0, 1.2).quantile(0.001) = -2410602.8536739517;
            StudentT(1000000000.0, 0.0, 1.0).quantile(0.001) = -3.0902323143179427;
            StudentT(0.05, 0.0, 1.2).quantile(0.2) = -12446645.36590797;
            StudentT(0.4, 0.0, 1.2).quantile(0.2) = -4.221919960286701;
            StudentT(1000000000.0, 0.0, 1.0).quantile(0.2) = -0.8416212339323551;
            StudentT(0.05, 0.0, 1.2).quantile(0.45) = -1.1092612150891785;
            StudentT(0.4, 0.0, 1.2).quantile(0.45) = -0.24343481351869303;
            StudentT(1000000000.0, 0.0, 1.0).quantile(0.45) = -0.1256613468869854;
            RightTruncatedNormal(4.4, 1.0, -10.0).quantile(1e-300) = -35.43571585304061;
            RightTruncatedNormal(4.4, 1.0, -33.0).quantile(0.25) = -33.03702195333397;
            RightTruncatedNormal(4.4, 1.0, -50.0).quantile(0.25) = -50.02546879191777;
            LeftTruncatedGamma(2.2, 1.4, 600.0).quantile(0.5) = 600.4958122980406;
        },
    );
}

/// Moments and densities of what is left.
#[test]
fn cut_far_out() {
    check(
        1e-12,
        rows! {
            LeftTruncatedNormal(-0.8, 462.3, 15110.0).mean() = 15124.117258253124;
            LeftTruncatedNormal(0.0, 1.0, 10000.0).mean() = 10000.000099999997;
            LeftTruncatedNormal(0.0, 2.0, 2.5).mean() = 3.457633254662108;
            RightTruncatedNormal(1.0, 0.5, -40.0).mean() = -40.00609574865206;
            LeftTruncatedGamma(2.2, 1.4, 600.0).mean() = 600.7153051509808;
            LeftTruncatedNormal(-0.8, 462.3, 15110.0).variance() = 198.9270081286143;
            LeftTruncatedNormal(0.0, 1.0, 10000.0).variance() = 9.99999940000005e-09;
            LeftTruncatedNormal(0.0, 2.0, 2.5).variance() = 0.6888554129099885;
            RightTruncatedNormal(1.0, 0.5, -40.0).variance() = 3.7147114002065155e-05;
            LeftTruncatedNormal(-0.8, 462.3, 15110.0).entropy() = 3.647397606396348;
            LeftTruncatedNormal(0.0, 1.0, 10000.0).entropy() = -8.210340391976182;
            LeftTruncatedNormal(0.0, 2.0, 2.5).entropy() = 0.9449704286322086;
            RightTruncatedNormal(1.0, 0.5, -40.0).entropy() = -4.100163704100553;
            LeftTruncatedGamma(2.2, 1.4, 600.0).log_prob(601.5) = -1.761959398459663;
        },
    );
}

/// A noncentral chi-squared number, and the difference of Poisson ones, whose tails are of it:
/// sums of mpmath with 40 digits.
#[test]
fn noncentral_tails() {
    check(
        1e-12,
        rows! {
            NoncentralChi2(0.3, 10_000.0).log_cdf(1e-300) = -5_103.650_995_053_145;
            NoncentralChi2(5.5, 3.0).log_cdf(1e-200) = -1_271.314_771_471_858_4;
            NoncentralChi2(2.0, 50.0).log_cdf(1e-12) = -53.324_168_296_482_49;
            NoncentralChi2(4.0, 100.0).log_survival(1e13) = -4_999_968_377_270.288;
            NoncentralChi2(0.3, 1e4).log_survival(1e12) = -499_900_005_017.957_97;
            NoncentralChi2(3.0, 1.0).log_survival(1e120) = -5e119;
            NoncentralChi2(3.0, 1.0).log_prob(1e80) = -5e79;
            NoncentralChi2(2.5, 3.0).cdf(1e-6) = 2.618_422_414_253_047_5e-9;
            NoncentralChi2(2.5, 3.0).survival(1e-6) = 0.999_999_997_381_577_6;
            NoncentralChi2(2.5, 3.0).log_cdf(1e-6) = -19.760_693_832_492_144;
            NoncentralChi2(2.5, 3.0).log_survival(1e-6) = -2.618_422_417_681_115_5e-9;
            NoncentralChi2(2.5, 3.0).cdf(0.3) = 0.018_644_425_150_902_897;
            NoncentralChi2(2.5, 3.0).survival(0.3) = 0.981_355_574_849_097_1;
            NoncentralChi2(2.5, 3.0).log_cdf(0.3) = -3.982_208_097_100_291;
            NoncentralChi2(2.5, 3.0).log_survival(0.3) = -0.018_820_423_470_243_288;
            NoncentralChi2(2.5, 3.0).cdf(4.0) = 0.437_717_345_509_944_5;
            NoncentralChi2(2.5, 3.0).survival(4.0) = 0.562_282_654_490_055_5;
            NoncentralChi2(2.5, 3.0).log_cdf(4.0) = -0.826_181_906_806_619_3;
            NoncentralChi2(2.5, 3.0).log_survival(4.0) = -0.575_750_611_589_871_5;
            NoncentralChi2(2.5, 3.0).cdf(9.0) = 0.824_548_012_587_652_5;
            NoncentralChi2(2.5, 3.0).survival(9.0) = 0.175_451_987_412_347_5;
            NoncentralChi2(2.5, 3.0).log_cdf(9.0) = -0.192_919_906_309_635_15;
            NoncentralChi2(2.5, 3.0).log_survival(9.0) = -1.740_389_849_502_976_4;
            NoncentralChi2(2.5, 3.0).cdf(60.0) = 0.999_999_997_152_775_5;
            NoncentralChi2(2.5, 3.0).survival(60.0) = 2.847_224_422_218_517_3e-9;
            NoncentralChi2(2.5, 3.0).log_cdf(60.0) = -2.847_224_426_271_861e-9;
            NoncentralChi2(2.5, 3.0).log_survival(60.0) = -19.676_921_204_142_73;
            NoncentralChi2(2.5, 3.0).cdf(900.0) = 1.0;
            NoncentralChi2(2.5, 3.0).survival(900.0) = 3.645_963_040_394_352e-175;
            NoncentralChi2(2.5, 3.0).log_cdf(900.0) = -3.645_963_040_394_352e-175;
            NoncentralChi2(2.5, 3.0).log_survival(900.0) = -401.658_770_734_781_34;
            NoncentralChi2(0.3, 30.0).cdf(0.5) = 1.972_589_000_558_034_5e-6;
            NoncentralChi2(0.3, 30.0).survival(0.5) = 0.999_998_027_410_999_4;
            NoncentralChi2(0.3, 30.0).log_cdf(0.5) = -13.136_163_664_555_806;
            NoncentralChi2(0.3, 30.0).log_survival(0.5) = -1.972_590_946_114_275_7e-6;
            NoncentralChi2(0.3, 30.0).cdf(20.0) = 0.175_149_375_382_264_22;
            NoncentralChi2(0.3, 30.0).survival(20.0) = 0.824_850_624_617_735_8;
            NoncentralChi2(0.3, 30.0).log_cdf(20.0) = -1.742_116_095_532_472_4;
            NoncentralChi2(0.3, 30.0).log_survival(20.0) = -0.192_552_970_110_401_5;
            NoncentralChi2(0.3, 30.0).cdf(60.0) = 0.989_894_988_636_054_1;
            NoncentralChi2(0.3, 30.0).survival(60.0) = 0.010_105_011_363_945_971;
            NoncentralChi2(0.3, 30.0).log_cdf(60.0) = -0.010_156_413_564_336_785;
            NoncentralChi2(0.3, 30.0).log_survival(60.0) = -4.594_723_803_540_745;
            NoncentralChi2(1.0, 0.5).cdf(0.001) = 0.019_648_538_365_721_98;
            NoncentralChi2(1.0, 0.5).survival(0.001) = 0.980_351_461_634_278;
            NoncentralChi2(1.0, 0.5).log_cdf(0.001) = -3.929_752_326_857_268_5;
            NoncentralChi2(1.0, 0.5).log_survival(0.001) = -0.019_844_137_290_744_034;
            NoncentralChi2(1.0, 0.5).cdf(2.0) = 0.743_302_512_144_178_6;
            NoncentralChi2(1.0, 0.5).survival(2.0) = 0.256_697_487_855_821_36;
            NoncentralChi2(1.0, 0.5).log_cdf(2.0) = -0.296_652_167_538_884;
            NoncentralChi2(1.0, 0.5).log_survival(2.0) = -1.359_856_977_456_702;
            NoncentralChi2(1.0, 0.5).cdf(40.0) = 0.999_999_990_309_086_3;
            NoncentralChi2(1.0, 0.5).survival(40.0) = 9.690_913_750_794_339e-9;
            NoncentralChi2(1.0, 0.5).log_cdf(40.0) = -9.690_913_797_751_245e-9;
            NoncentralChi2(1.0, 0.5).log_survival(40.0) = -18.452_077_117_161_956;
            NoncentralChi2(7.0, 1e-6).cdf(3.0) = 0.114_997_728_710_485_44;
            NoncentralChi2(7.0, 1e-6).survival(3.0) = 0.885_002_271_289_514_6;
            NoncentralChi2(7.0, 1e-6).log_cdf(3.0) = -2.162_842_901_157_532_5;
            NoncentralChi2(7.0, 1e-6).log_survival(3.0) = -0.122_165_067_548_670_8;
            NoncentralChi2(1000.0, 0.5).cdf(600.0) = 3.442_490_195_141_598e-26;
            NoncentralChi2(1000.0, 0.5).survival(600.0) = 1.0;
            NoncentralChi2(1000.0, 0.5).log_cdf(600.0) = -58.631_017_314_408_21;
            NoncentralChi2(1000.0, 0.5).log_survival(600.0) = -3.442_490_195_141_598e-26;
            NoncentralChi2(1000.0, 0.5).cdf(1400.0) = 0.999_999_999_999_999_2;
            NoncentralChi2(1000.0, 0.5).survival(1400.0) = 7.784_006_674_447_181e-16;
            NoncentralChi2(1000.0, 0.5).log_cdf(1400.0) = -7.784_006_674_447_184e-16;
            NoncentralChi2(1000.0, 0.5).log_survival(1400.0) = -34.789_290_285_564_15;
            NoncentralChi2(4.0, 1000.0).cdf(100.0) = 9.673_011_987_573_124e-105;
            NoncentralChi2(4.0, 1000.0).survival(100.0) = 1.0;
            NoncentralChi2(4.0, 1000.0).log_cdf(100.0) = -239.502_095_025_893_34;
            NoncentralChi2(4.0, 1000.0).log_survival(100.0) = -9.673_011_987_573_124e-105;
            NoncentralChi2(4.0, 1000.0).cdf(700.0) = 9.089_075_793_621_785e-8;
            NoncentralChi2(4.0, 1000.0).survival(700.0) = 0.999_999_909_109_242_1;
            NoncentralChi2(4.0, 1000.0).log_cdf(700.0) = -16.213_607_513_800_905;
            NoncentralChi2(4.0, 1000.0).log_survival(700.0) = -9.089_076_206_678_303e-8;
            NoncentralChi2(4.0, 1000.0).cdf(1000.0) = 0.481_080_449_515_125_74;
            NoncentralChi2(4.0, 1000.0).survival(1000.0) = 0.518_919_550_484_874_3;
            NoncentralChi2(4.0, 1000.0).log_cdf(1000.0) = -0.731_720_768_152_684_2;
            NoncentralChi2(4.0, 1000.0).log_survival(1000.0) = -0.656_006_416_531_002_8;
            NoncentralChi2(4.0, 1000.0).cdf(1500.0) = 0.999_999_999_999_192_6;
            NoncentralChi2(4.0, 1000.0).survival(1500.0) = 8.073_522_269_248_958e-13;
            NoncentralChi2(4.0, 1000.0).log_cdf(1500.0) = -8.073_522_269_252_217e-13;
            NoncentralChi2(4.0, 1000.0).log_survival(1500.0) = -27.845_016_357_272_75;
            NoncentralChi2(4.0, 1000.0).cdf(6000.0) = 1.0;
            NoncentralChi2(4.0, 1000.0).log_cdf(6000.0) = -0.0;
            NoncentralChi2(4.0, 1000.0).log_survival(6000.0) = -1_053.910_671_812_459;
            NoncentralChi2(500.0, 1000.0).cdf(1100.0) = 4.135_745_944_127_209_4e-10;
            NoncentralChi2(500.0, 1000.0).survival(1100.0) = 0.999_999_999_586_425_4;
            NoncentralChi2(500.0, 1000.0).log_cdf(1100.0) = -21.606_183_220_122_11;
            NoncentralChi2(500.0, 1000.0).log_survival(1100.0) = -4.135_745_944_982_429_4e-10;
            NoncentralChi2(500.0, 1000.0).cdf(2300.0) = 1.0;
            NoncentralChi2(500.0, 1000.0).survival(2300.0) = 7.696_395_477_662_856e-24;
            NoncentralChi2(500.0, 1000.0).log_cdf(2300.0) = -7.696_395_477_662_856e-24;
            NoncentralChi2(500.0, 1000.0).log_survival(2300.0) = -53.221_290_132_383_78;
            Skellam(2.0, 1.0).cdf(-30.0) = 2.068_444_031_410_444_4e-34;
            Skellam(2.0, 1.0).survival(-30.0) = 1.0;
            Skellam(2.0, 1.0).cdf(-1.0) = 0.182_584_774_930_388_08;
            Skellam(2.0, 1.0).survival(-1.0) = 0.817_415_225_069_612;
            Skellam(2.0, 1.0).cdf(0.0) = 0.394_296_858_892_331_57;
            Skellam(2.0, 1.0).survival(0.0) = 0.605_703_141_107_668_4;
            Skellam(2.0, 1.0).cdf(1.0) = 0.632_760_297_378_628_6;
            Skellam(2.0, 1.0).survival(1.0) = 0.367_239_702_621_371_46;
            Skellam(2.0, 1.0).cdf(25.0) = 1.0;
            Skellam(2.0, 1.0).survival(25.0) = 9.630_307_871_524_745e-21;
            Skellam(2.0, 1.0).log_cdf(-30.0) = -77.561_096_512_817_19;
            Skellam(2.0, 1.0).log_survival(25.0) = -46.089_371_757_531_85;
            Skellam(0.001, 7.0).cdf(-40.0) = 8.565_060_537_715_598e-18;
            Skellam(0.001, 7.0).survival(-40.0) = 1.0;
            Skellam(0.001, 7.0).cdf(-7.0) = 0.550_139_950_686_024_7;
            Skellam(0.001, 7.0).survival(-7.0) = 0.449_860_049_313_975_3;
            Skellam(0.001, 7.0).cdf(-1.0) = 0.999_081_726_879_414_5;
            Skellam(0.001, 7.0).survival(-1.0) = 0.000_918_273_120_585_442_9;
            Skellam(0.001, 7.0).cdf(0.0) = 0.999_999_085_380_640_6;
            Skellam(0.001, 7.0).survival(0.0) = 9.146_193_593_641_969e-7;
            Skellam(0.001, 7.0).cdf(3.0) = 1.0;
            Skellam(0.001, 7.0).survival(3.0) = 3.801_787_831_311_795e-17;
            Skellam(0.001, 7.0).log_cdf(-40.0) = -39.298_840_474_107_21;
            Skellam(0.001, 7.0).log_survival(3.0) = -37.808_475_142_884_2;
            Skellam(150.0, 100.0).cdf(-60.0) = 1.533_158_968_222_362_7e-12;
            Skellam(150.0, 100.0).survival(-60.0) = 0.999_999_999_998_466_9;
            Skellam(150.0, 100.0).cdf(20.0) = 0.030_659_068_177_647_013;
            Skellam(150.0, 100.0).survival(20.0) = 0.969_340_931_822_353;
            Skellam(150.0, 100.0).cdf(50.0) = 0.513_463_298_234_976_5;
            Skellam(150.0, 100.0).survival(50.0) = 0.486_536_701_765_023_5;
            Skellam(150.0, 100.0).cdf(200.0) = 1.0;
            Skellam(150.0, 100.0).survival(200.0) = 1.271_943_160_778_254_3e-20;
            Skellam(150.0, 100.0).log_cdf(-60.0) = -27.203_690_823_944_527;
            Skellam(150.0, 100.0).log_survival(200.0) = -45.811_156_080_884_14;
        },
    );
    check(
        1e-10,
        rows! {
            NoncentralChi2(3.0, 10_000.0).survival(2000.0) = 1.0;
            NoncentralChi2(3.0, 10_000.0).log_cdf(2000.0) = -1_533.600_820_387_959;
            NoncentralChi2(3.0, 10_000.0).log_survival(2000.0) = -0.0;
            NoncentralChi2(3.0, 10_000.0).cdf(9000.0) = 1.359_608_108_018_118_8e-7;
            NoncentralChi2(3.0, 10_000.0).survival(9000.0) = 0.999_999_864_039_189_2;
            NoncentralChi2(3.0, 10_000.0).log_cdf(9000.0) = -15.810_899_148_604_27;
            NoncentralChi2(3.0, 10_000.0).log_survival(9000.0) = -1.359_608_200_444_837_5e-7;
            NoncentralChi2(3.0, 10_000.0).cdf(10_010.0) = 0.515_949_386_146_943_1;
            NoncentralChi2(3.0, 10_000.0).survival(10_010.0) = 0.484_050_613_853_056_87;
            NoncentralChi2(3.0, 10_000.0).log_cdf(10_010.0) = -0.661_746_607_174_114_7;
            NoncentralChi2(3.0, 10_000.0).log_survival(10_010.0) = -0.725_565_803_656_429_1;
            NoncentralChi2(3.0, 10_000.0).cdf(11_000.0) = 0.999_999_445_165_863_9;
            NoncentralChi2(3.0, 10_000.0).survival(11_000.0) = 5.548_341_360_937_074e-7;
            NoncentralChi2(3.0, 10_000.0).log_cdf(11_000.0) = -5.548_342_900_142_235e-7;
            NoncentralChi2(3.0, 10_000.0).log_survival(11_000.0) = -14.404_596_621_750_91;
            NoncentralChi2(3.0, 10_000.0).cdf(30_000.0) = 1.0;
            NoncentralChi2(3.0, 10_000.0).log_cdf(30_000.0) = -0.0;
            NoncentralChi2(3.0, 10_000.0).log_survival(30_000.0) = -2_684.154_929_208_473;
            NoncentralChi2(2e4, 1e4).cdf(25_000.0) = 2.705_288_993_358_861_8e-78;
            NoncentralChi2(2e4, 1e4).survival(25_000.0) = 1.0;
            NoncentralChi2(2e4, 1e4).log_cdf(25_000.0) = -178.606_428_510_212_2;
            NoncentralChi2(2e4, 1e4).log_survival(25_000.0) = -2.705_288_993_358_861_8e-78;
            NoncentralChi2(2e4, 1e4).cdf(31_000.0) = 0.999_769_392_492_770_6;
            NoncentralChi2(2e4, 1e4).survival(31_000.0) = 0.000_230_607_507_229_404_58;
            NoncentralChi2(2e4, 1e4).log_cdf(31_000.0) = -0.000_230_634_101_229_195_78;
            NoncentralChi2(2e4, 1e4).log_survival(31_000.0) = -8.374_793_395_457_99;
        },
    );
}

#[test]
fn noncentral_quantiles() {
    check(
        1e-12,
        rows! {
            NoncentralChi2(2.5, 3.0).quantile(1e-10) = 7.337_840_204_164_967e-8;
            NoncentralChi2(2.5, 3.0).quantile(0.01) = 0.182_969_808_413_818_4;
            NoncentralChi2(2.5, 3.0).quantile(0.5) = 4.580_803_665_006_515;
            NoncentralChi2(2.5, 3.0).quantile(0.9) = 11.081_024_671_589_8;
            NoncentralChi2(0.3, 30.0).quantile(1e-6) = 0.305_730_522_600_481;
            NoncentralChi2(0.3, 30.0).quantile(0.3) = 23.860_984_488_263_625;
            NoncentralChi2(4.0, 1000.0).quantile(1e-20) = 502.500_060_793_830_3;
            NoncentralChi2(4.0, 1000.0).quantile(0.25) = 960.764_752_531_632_3;
            NoncentralChi2(50.0, 200.0).quantile(1e-12) = 85.401_761_447_282_07;
            NoncentralChi2(50.0, 200.0).quantile(0.5) = 249.036_471_234_914_22;
            NoncentralChi2(2.5, 3.0).upper_quantile(1e-200) = 1_024.639_047_121_134_1;
            NoncentralChi2(2.5, 3.0).upper_quantile(0.01) = 18.731_864_240_819_544;
            NoncentralChi2(0.3, 30.0).upper_quantile(1e-6) = 103.721_716_028_743_46;
            NoncentralChi2(4.0, 1000.0).upper_quantile(1e-20) = 1_674.994_900_579_107_3;
            NoncentralChi2(4.0, 1000.0).upper_quantile(0.25) = 1_046.145_665_234_325_4;
            Skellam(2.0, 1.0).quantile(1e-10) = -12.0;
            Skellam(2.0, 1.0).quantile(0.5) = 1.0;
            Skellam(2.0, 1.0).quantile(0.999) = 7.0;
            Skellam(0.001, 7.0).quantile(1e-20) = -43.0;
            Skellam(0.001, 7.0).quantile(0.9999) = 0.0;
            Skellam(150.0, 100.0).quantile(0.25) = 39.0;
            Skellam(150.0, 100.0).quantile(1e-100) = -294.0;
        },
    );
    let ends = |have: Array| floats(&have);
    assert_eq!(ends(Skellam::new(2.0, 1.0).quantile(&array([0.0, 1.0]))), [-INF, INF]);
    let n = NoncentralChi2::new(2.0, 1.0);
    assert_eq!(ends(n.quantile(&array([0.0, 1.0]))), [0.0, INF]);
    assert_eq!(ends(n.upper_quantile(&array([0.0, 1.0]))), [INF, 0.0]);
    assert_eq!(ends(n.cdf(&array([-1.0, 0.0, INF]))), [0.0, 0.0, 1.0]);
    assert_eq!(ends(n.log_survival(&array([-1.0, 0.0, INF]))), [0.0, 0.0, -INF]);
    assert!(ends(n.cdf(&array(f64::NAN)))[0].is_nan());
    assert!(ends(n.quantile(&array([f64::NAN, 1.5]))).iter().all(|q| q.is_nan()));
    // Without noncentrality it is the chi-squared one.
    let (x, q) = (array([0.5, 3.0, 9.0]), array([0.01, 0.4, 0.9]));
    let (central, plain) = (NoncentralChi2::new(3.0, 0.0), Chi2::new(3.0));
    assert!(central.log_survival(&x).allclose(plain.log_survival(&x)).item::<bool>().unwrap());
    assert!(central.quantile(&q).allclose(plain.quantile(&q)).item::<bool>().unwrap());
}

/// The slope in the point is the density; in the noncentrality minus that of two degrees of freedom
/// more; and a quantile keeps the probability.
#[test]
fn noncentral_slopes() {
    let wide = |x: f64| Array::from(x).cast(DType::F64);
    for [x, df, l] in [[4.0, 2.5, 3.0], [60.0, 0.3, 30.0], [150.0, 4.0, 300.0], [1e-4, 1.0, 0.5]] {
        let p = [wide(x), wide(df), wide(l)];
        let cdf = |p: [Array; 3]| NoncentralChi2::new(&p[1], &p[2]).cdf(&p[0]);
        let slopes = grad(cdf)(p.clone());
        let density = |df: f64| floats(&NoncentralChi2::new(df, &p[2]).prob(&p[0]))[0];
        let of_df =
            probpipe_testing::differences(|df| cdf([p[0].clone(), df, p[2].clone()]), &p[1]);
        for (slope, want) in slopes.iter().zip([density(df), of_df[0], -density(df + 2.0)]) {
            golden::assert_close("slope", &floats(slope), &[want], 1e-7, 1e-12);
        }
        let there = |p: [Array; 3]| NoncentralChi2::new(&p[1], &p[2]).quantile(&p[0]);
        let level = floats(&cdf(p.clone()))[0];
        let moved = grad(there)([wide(level), wide(df), wide(l)]);
        let [by_x, by_df, by_l] = [0, 1, 2].map(|k| floats(&slopes[k])[0]);
        let want = [1.0 / by_x, -by_df / by_x, -by_l / by_x];
        for (slope, want) in moved.iter().zip(want) {
            golden::assert_close("quantile", &floats(slope), &[want], 1e-7, 1e-12);
        }
    }
}
