//! Graphs as text: what the transforms make of a few functions, whole. `UPDATE_EXPECT=1` writes
//! the files anew; read the difference before keeping it.

use probpipe_trace::{Array, Key, array, fori_loop, normal, scan, zeros};
use probpipe_transforms::{grad, graph_of, raw_graph_of, value_and_grad, vmap};
use std::path::Path;

fn expect(name: &str, graph: probpipe_trace::Result<probpipe_trace::Graph>) {
    let text = format!("{}\n", graph.unwrap());
    let parsed = probpipe_trace::parse(&text).unwrap();
    assert_eq!(format!("{parsed}\n"), text, "{name} does not parse back");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/ir/{name}.ir"));
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let want = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(text, want, "\n{name} is now\n{text}");
}

fn log_density((mean, log_scale, x): (Array, Array, Array)) -> Array {
    let scale = log_scale.exp();
    let z = (&x - mean) / &scale;
    (z.square() * -0.5 - scale.log() - 0.918_938_5).sum()
}

#[test]
fn density() {
    let args = || (array(0.5), array(0.1), zeros([3]));
    expect("density_raw", raw_graph_of(log_density, &args()));
    expect("density", graph_of(log_density, &args()));
    expect("density_grad", graph_of(grad(log_density), &args()));
}

#[test]
fn score() {
    let score = grad(|x: Array| ((x - 2.0) / 0.5).square() * -0.5);
    expect("score_vmap", graph_of(vmap(score), &zeros([200])));
}

#[test]
fn loops() {
    let data = array([1.0, 2.0, 3.0]);
    let fit = |p: Array| {
        fori_loop(300, p, |_, p| {
            let loss = |q: Array| ((&data - q.at(0)) / q.at(1).exp()).square().mean();
            &p - grad(loss)(p.clone()) * 0.05
        })
    };
    expect("fit", graph_of(fit, &zeros([2])));
    let filter = |a: Array| {
        let (last, ys) = scan(array(0.0), zeros([10]), |c, x| {
            let next = (&c * &a + x).tanh();
            (next.clone(), next)
        });
        last + ys.sum()
    };
    expect("scan_grad", graph_of(grad(filter), &array(0.5)));
}

#[test]
fn draws() {
    let loss = |loc: Array| (normal(Key::new(42), [5000]) + loc).square().mean();
    expect("monte_carlo_vmap", graph_of(vmap(value_and_grad(loss)), &zeros([50])));
}
