//! Both tails of families of real numbers against values of mpmath: logarithms of probabilities
//! that are no numbers, quantiles of probabilities down to 1e-250 from either side, and what is
//! left of distributions that are cut far out. On the interpreter, compiled, and in both float
//! types.

mod golden;

use golden::floats;
use probpipe::distributions::*;
use probpipe::prelude::*;

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
