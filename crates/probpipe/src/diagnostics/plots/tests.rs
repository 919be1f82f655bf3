//! What figures are made of, figures of draws that are usual and of such as are not, and what is
//! refused.

use super::density::density;
use super::*;
use crate::record::Record;
use probpipe_trace::{DType, Key, normal, zeros};

fn numbers(x: &Array) -> Vec<f64> {
    x.to_vec().unwrap()
}

/// Whether what was made can be written, as SVG and as PNG.
fn written(name: &str, save: impl Fn(&std::path::Path) -> Result<()>) -> String {
    let folder = std::env::temp_dir().join(format!("probpipe-plots-{}-{name}", std::process::id()));
    let path = folder.join("figure.svg");
    save(&path).unwrap();
    let text = std::fs::read_to_string(path).unwrap();
    std::fs::remove_dir_all(folder).unwrap();
    assert!(!text.contains("NaN") && !text.contains("inf"), "{name}");
    text
}

#[test]
fn densities_have_area_one_and_reach_their_bounds() {
    let normals = numbers(&normal(Key::new(0), [20_000]).cast(DType::F64));
    let exponentials: Vec<f64> =
        (0..20_000).map(|i| -((f64::from(i) + 0.5) / 20_000.0).ln()).collect();
    for (values, at, expected) in [(&normals, 0.0, 0.3989), (&exponentials, 0.05, 0.951)] {
        let (x, y) = density(values);
        let (x, y) = (numbers(&x), numbers(&y));
        let area: f64 = y.iter().sum::<f64>() * (x[1] - x[0]);
        assert!((area - 1.0).abs() < 1e-3, "{area}");
        let near = x.partition_point(|&x| x < at);
        assert!((y[near] / expected - 1.0).abs() < 0.06, "{} at {at}", y[near]);
    }
    let none = [vec![], vec![3.0], vec![3.0; 50], vec![f64::NAN, f64::INFINITY]];
    assert!(none.iter().all(|values| density(values).0.size() == 0));
}

#[test]
fn all_figures_are_drawn() {
    let theta = normal(Key::new(1), [4, 300, 2]);
    let draws = Record::new([("mu", normal(Key::new(0), [4, 300])), ("theta", theta.clone())]);
    let texts = [
        written("trace", |path| trace(&draws)?.save(path)),
        written("rank", |path| rank(&draws)?.save(path)),
        written("autocorrelation", |path| autocorrelation(&draws)?.save(path)),
        written("forest", |path| forest(&draws)?.save(path)),
        written("pair", |path| pair(&draws, &draws["mu"].gt(2.0))?.save(path)),
    ];
    for text in &texts {
        assert!(["mu", "theta[0]", "theta[1]"].iter().all(|name| text.contains(name)));
    }
    for (text, part) in texts.iter().zip(["chain 3", "chain 3", "lag", "94% hdi", "diverging"]) {
        assert!(text.contains(part), "{part}");
    }
    let text = written("energy", |path| energy(&draws["mu"])?.save(path));
    assert!(text.contains("BFMI 1.") || text.contains("BFMI 2."), "of independent draws");
    let text = written("predictive", |path| predictive(&theta, &zeros([2]))?.save(path));
    assert!(text.contains("replicated") && text.contains("94% of the replications"));
}

#[test]
fn draws_that_say_nothing_are_drawn_too() {
    let nothing = Array::from_slice(&[f64::NAN; 12], [2, 6]);
    let (still, one) = (zeros([2, 6]), zeros([1, 1]));
    let huge = Array::from_slice(&[f64::MAX, f64::MIN, f64::INFINITY, 1.0], [2, 2]);
    for (i, x) in [nothing, still, one, huge, zeros([2, 6]).eq(0.0)].into_iter().enumerate() {
        let draws = Record::new([("x", x.clone())]);
        let of = |what: &str| format!("{what}-{i}");
        written(&of("trace"), |path| trace(&draws)?.save(path));
        written(&of("rank"), |path| rank(&draws)?.save(path));
        written(&of("autocorrelation"), |path| autocorrelation(&draws)?.save(path));
        written(&of("forest"), |path| forest(&draws)?.save(path));
        written(&of("pair"), |path| pair(&draws, None)?.save(path));
        written(&of("predictive"), |path| predictive(&x, &zeros([]))?.save(path));
    }
}

#[test]
fn what_cannot_be_drawn_is_told() {
    let many = Record::new([("x", zeros([2, 5, 300]))]);
    let refused = [
        trace(&many).map(|_| ()).unwrap_err(),
        forest(&many).map(|_| ()).unwrap_err(),
        pair(&many, None).map(|_| ()).unwrap_err(),
    ];
    for (error, most) in refused.iter().zip(["40", "240", "6"]) {
        let told = error.to_string();
        assert!(told.contains(&format!("at most {most} quantities, not 300")), "{told}");
        assert!(told.contains("Record::select"), "{told}");
        assert!(error.location().is_some_and(|at| at.file().ends_with("tests.rs")), "{told}");
    }
    let draws = Record::new([("x", zeros([2, 5]))]);
    let told = pair(&draws, &zeros([2, 4])).unwrap_err().to_string();
    assert!(told.contains("marks [2, 5] for `x`, not f32[2,4]"), "{told}");
    let told = energy(&zeros([2, 5, 3])).unwrap_err().to_string();
    assert!(told.contains("[chains, draws]"), "{told}");
    let told = trace(&Record::new([("x", zeros([5]))])).unwrap_err().to_string();
    assert!(told.contains("`trace` takes draws") && told.contains("part `x`"), "{told}");
    let told = predictive(&zeros([2, 5, 3]), &zeros([4])).unwrap_err().to_string();
    assert!(told.contains("`predictive` compares"), "{told}");
}
