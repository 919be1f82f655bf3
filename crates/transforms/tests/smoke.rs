//! A first look at each user function; the op tables are in the other files.
use probpipe_trace::*;
use probpipe_transforms::*;

fn close(a: &Array, want: &[f64]) {
    let got: Vec<f64> = a.cast(DType::F64).to_vec().unwrap();
    assert_eq!(got.len(), want.len(), "{got:?} {want:?}");
    for (g, w) in got.iter().zip(want) {
        assert!((g - w).abs() <= 1e-5 * (1.0 + w.abs()), "{got:?} {want:?}");
    }
}

#[test]
fn nested() {
    let f = |x: Array| x.powi(3) * 2.0;
    close(&grad(f)(array(2.0)), &[24.0]);
    close(&grad(grad(f))(array(2.0)), &[24.0]);
    close(&jit(vmap(grad(grad(f))))(array([1.0, 2.0])), &[12.0, 24.0]);
    let score = grad(f);
    close(&jit(vmap(&score))(array([1.0, 2.0])), &[6.0, 24.0]);
    close(&hessian(|x: Array| (x.at(0) * x.at(1)).exp())(array([1.0, 0.5])), 
        &[0.25f64 * 0.5f64.exp(), 1.5 * 0.5f64.exp(), 1.5 * 0.5f64.exp(), 0.5f64.exp()]);
}

#[test]
fn captures() {
    let outer = jit(|(w, xs): (Array, Array)| {
        let inner = vmap(|x: Array| grad(|y: Array| (&y * &w).sin())(x));
        inner(xs)
    });
    let w = 2.0f64;
    close(&outer((array(w), array([0.1, 0.2]))), &[2.0 * 0.2f64.cos(), 2.0 * 0.4f64.cos()]);
}

#[test]
fn loops() {
    let f = |x: Array| {
        let (c, ys) = scan(array(1.0), arange(5), |c, _| {
            let g = grad(|y: Array| (&y * &x).sin())(c.clone());
            (&c * &x + g, c)
        });
        c + ys.sum()
    };
    let fd = |x: f64| {
        let run = |x: f64| {
            let (mut c, mut s) = (1.0f64, 0.0);
            for _ in 0..5 {
                s += c;
                c = c * x + (c * x).cos() * x;
            }
            c + s
        };
        (run(x + 1e-6) - run(x - 1e-6)) / 2e-6
    };
    close(&grad(f)(array(0.7)), &[fd(0.7)]);
    close(&jit(grad(f))(array(0.7)), &[fd(0.7)]);
    close(&jit(vmap(grad(f)))(array([0.7, 0.3])), &[fd(0.7), fd(0.3)]);
    println!("{}", graph_of(grad(f), &array(0.7)).unwrap());
}
