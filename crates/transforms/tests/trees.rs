//! Trees written by hand that do not do what they promise, through every function that takes trees
//! apart: none panics, and each gives right values or says which type is at fault, and where.

use probpipe_testing::{EXACT, close, says};
use probpipe_trace::{
    Array, DType, Error, ErrorKind, Flatten, Nest, Rebuild, Result, Token, Tree, array,
    associative_scan, cond, fori_loop, fori_loop_dynamic, map, pure_callback, scan, scan_reverse,
    switch, tree_map, while_loop, with_default_float,
};
use probpipe_transforms::{
    check_nan, checkpoint, custom_jvp, custom_linear_solve, custom_root, custom_vjp, grad,
    grad_wrt, hvp, jacfwd, jit, jvp, jvp_aux, linearize, stop_gradient, value_and_grad,
    value_and_grad_aux, vjp, vjp_aux, vmap,
};
use std::cell::Cell;
use std::fmt::Debug;
use std::marker::PhantomData;

thread_local! {
    /// How often a tree that fails now and then has been rebuilt.
    static BUILT: Cell<usize> = const { Cell::new(0) };
}

/// What a tree of two leaves and a number does wrong.
trait Fault: Debug + 'static {
    /// Reads two leaves and the number, in a way of its own.
    fn rebuild(from: &mut Rebuild<'_>) -> Result<(Array, Array, u32)>;
}

#[derive(Debug)]
struct Pair<F> {
    a: Array,
    b: Array,
    n: u32,
    fault: PhantomData<F>,
}

fn pair<F>(a: Array, b: Array) -> Pair<F> {
    Pair { a, b, n: 7, fault: PhantomData }
}

impl<F: Fault> Nest for Pair<F> {
    type Of<L: Tree> = (L, L);

    fn nest<L: Tree>(&self, leaf: &mut dyn FnMut() -> L) -> (L, L) {
        (leaf(), leaf())
    }
}

impl<F: Fault> Tree for Pair<F> {
    fn flatten<'a>(&'a self, into: &mut Flatten<'a>) {
        into.token(Token::Open("pair"));
        into.fixed(&self.n);
        into.leaf(&self.a);
        into.leaf(&self.b);
        into.token(Token::Close);
    }
    fn rebuild(from: &mut Rebuild<'_>) -> Result<Self> {
        let (a, b, n) = F::rebuild(from)?;
        Ok(Pair { a, b, n, fault: PhantomData })
    }
    fn leaves_mut(&mut self, visit: &mut dyn FnMut(&mut Array)) {
        visit(&mut self.a);
        visit(&mut self.b);
    }
}

/// Reads what was written.
fn right(from: &mut Rebuild<'_>) -> Result<(Array, Array, u32)> {
    from.expect(Token::Open("pair"))?;
    let n = from.fixed()?;
    let (a, b) = (from.leaf()?, from.leaf()?);
    from.expect(Token::Close)?;
    Ok((a, b, n))
}

macro_rules! faults {
    ($($(#[$doc:meta])* $name:ident = $rebuild:expr;)+) => {$(
        $(#[$doc])*
        #[derive(Debug)]
        struct $name;
        impl Fault for $name {
            fn rebuild(from: &mut Rebuild<'_>) -> Result<(Array, Array, u32)> {
                let rebuild: fn(&mut Rebuild<'_>) -> Result<(Array, Array, u32)> = $rebuild;
                rebuild(from)
            }
        }
    )+};
}
faults! {
    /// None: what all the others are compared with.
    Sound = right;
    Refuses = |_| Err(Error::new(ErrorKind::Value, "there is no such pair"));
    RefusesEveryOther = |from| {
        let count = BUILT.replace(BUILT.get() + 1);
        if count % 2 == 1 { Err(Error::new(ErrorKind::Value, "not now")) } else { right(from) }
    };
    ReadsFewer = |from| {
        from.expect(Token::Open("pair"))?;
        let n = from.fixed()?;
        let a = from.leaf()?;
        Ok((a.clone(), a, n))
    };
    ReadsMore = |from| {
        let (a, b, n) = right(from)?;
        from.leaf()?;
        Ok((a, b, n))
    };
    ReadsAnother = |from| {
        from.expect(Token::Open("triple"))?;
        right(from)
    };
    Swaps = |from| right(from).map(|(a, b, n)| (b, a, n));
    Repeats = |from| right(from).map(|(a, _, n)| (a.clone(), a, n));
    Computes = |from| right(from).map(|(a, b, n)| (a * 2.0, b, n));
    ChangesStatic = |from| right(from).map(|(a, b, n)| (a, b, n + 1));
}

/// The result is right, or each of its leaves says what is wrong: the type, and a line of this
/// file.
#[track_caller]
fn check<F: Fault>(function: &str, leaves: &[Array], want: &[f64]) {
    let what = format!("{function} of {:?}", std::any::type_name::<F>());
    let errors: Vec<&Error> = leaves.iter().filter_map(Array::error).collect();
    if errors.is_empty() {
        return close(what, leaves, want, EXACT);
    }
    assert_eq!(errors.len(), leaves.len(), "{what}: some leaves only");
    for error in errors {
        let name = std::any::type_name::<F>();
        let short = name.rsplit("::").next().unwrap_or(name);
        says(error, &["is no tree", "`rebuild` does not read what its `flatten` wrote", short]);
        says(error, &["tests/trees.rs:", "derive `Tree`"]);
    }
}

/// Runs a function on a fresh pair `(1, 2)`, twice, as it is and inside another trace.
#[track_caller]
fn through<F: Fault, R: Tree>(function: &str, want: &[f64], f: impl Fn(Pair<F>) -> R) {
    for start in 0..2 {
        BUILT.set(start);
        for _ in 0..2 {
            let result = f(pair(array(1.0), array(2.0)));
            check::<F>(function, &result.leaves(), want);
        }
    }
}

fn zoo<F: Fault>() {
    let two = |p: Pair<F>| (p.a * 2.0, p.b * 2.0);
    let doubled = |p: Pair<F>| p.map(|x| x * 2.0);
    let product = |p: Pair<F>| &p.a * &p.a * &p.b;
    let step = |p: Pair<F>| Pair { b: &p.a + &p.b, ..p };
    let line = |x: f64, y: f64| vec![x, y];

    through::<F, _>("map", &line(2.0, 4.0), doubled);
    through::<F, _>("tree_map", &line(11.0, 22.0), |p| {
        tree_map(|x, y| x + y, p, pair(array(10.0), array(20.0)))
    });
    through::<F, _>("stop_gradient", &line(1.0, 2.0), |p| stop_gradient(p));
    through::<F, _>("jit in", &line(2.0, 4.0), |p| jit(two)(p));
    through::<F, _>("jit out", &line(2.0, 2.0), |p| {
        jit(|x: Array| pair::<F>(&x * 2.0, x * 2.0))(p.a)
    });
    let compiled = jit(doubled);
    through::<F, _>("one jit", &line(2.0, 4.0), compiled);
    through::<F, _>("jit in jit", &[2.0], |p| {
        let inner = jit(|x: Array| pair::<F>(&x * 2.0, x));
        jit(|x: Array| inner(x).a)(p.a)
    });
    through::<F, _>("grad", &line(4.0, 1.0), |p| grad(product)(p));
    through::<F, _>("jit of grad", &line(4.0, 1.0), |p| jit(grad(product))(p));
    through::<F, _>("value_and_grad", &[2.0, 4.0, 1.0], |p| value_and_grad(product)(p));
    through::<F, _>("hvp", &line(4.0, 2.0), |p| hvp(product)(p, pair(array(1.0), array(0.0))));
    through::<F, _>("jvp", &[2.0, 4.0, 2.0, 0.0], |p| {
        jvp(doubled, p, pair(array(1.0), array(0.0)))
    });
    through::<F, _>("linearize", &[2.0, 4.0, 2.0, 0.0], |p| {
        let (y, push) = linearize(doubled, p);
        let dy = push(pair(array(1.0), array(0.0)));
        (y, dy)
    });
    through::<F, _>("vjp", &[2.0], |p| vjp(product, p).0);
    through::<F, _>("vjp out", &[1.0, 3.0, 4.0], |p| {
        let (y, pull) = vjp(|x: Array| pair::<F>(x.clone(), x * 3.0), p.a);
        (y, pull(pair(array(1.0), array(1.0))))
    });
    through::<F, _>("jvp_aux", &[2.0, 2.0, 1.0, 2.0], |p| {
        jvp_aux(|p: Pair<F>| (&p.a * 2.0, p), p, pair(array(1.0), array(0.0)))
    });
    through::<F, _>("vjp_aux", &[3.0, 1.0, 2.0, 3.0], |p| {
        let f = |x: Array| (&x * 3.0, pair::<F>(x.clone(), x * 2.0));
        let (y, pull, aux) = vjp_aux(f, p.a);
        (y, aux, pull(array(1.0)))
    });
    through::<F, _>("value_and_grad_aux", &[1.0, 1.0, 2.0, 2.0], |p| {
        value_and_grad_aux(|x: Array| (x.square(), pair::<F>(x.clone(), x * 2.0)))(p.a)
    });
    through::<F, _>("grad_wrt", &line(4.0, 1.0), |p| {
        let loss = |(p, x): (Pair<F>, Array)| product(p) * x;
        grad_wrt(|(p, _): (Pair<F>, Array)| p, loss)((p, array(1.0)))
    });
    through::<F, _>("jacfwd out", &line(1.0, 2.0), |p| {
        jacfwd(|x: Array| pair::<F>(x.clone(), x * 2.0))(p.a)
    });
    through::<F, _>("custom_root", &line(3.0, 3.0), |p| {
        let newton = |f: &dyn Fn(Pair<F>) -> Pair<F>, x: Pair<F>| {
            let y = f(pair(x.a.clone(), x.b.clone()));
            Pair { a: &x.a - &y.a, b: &x.b - &y.b, ..x }
        };
        let f = |x: Pair<F>| Pair { a: &x.a - 3.0, b: &x.b - 3.0, ..x };
        custom_root(f, p, newton, newton)
    });
    through::<F, _>("custom_linear_solve", &line(0.5, 1.0), |p| {
        let half = |_: &dyn Fn(Pair<F>) -> Pair<F>, x: Pair<F>| x.map(|x| x * 0.5);
        custom_linear_solve(doubled, p, half, half)
    });
    through::<F, _>("vmap", &[2.0, 3.0, 4.0, 5.0], |p| {
        let lanes = |x: &Array| probpipe_trace::stack(&[x.clone(), x + 1.0], 0);
        let p = Pair { a: lanes(&p.a), b: lanes(&p.b), ..p };
        vmap(|p: Pair<F>| Pair { a: &p.a + 1.0, b: &p.b + 2.0, ..p })(p)
    });
    through::<F, _>("checkpoint", &line(2.0, 4.0), |p| checkpoint(doubled)(p));
    through::<F, _>("check_nan", &line(2.0, 4.0), |p| check_nan(doubled)(p));
    through::<F, _>("custom_jvp", &line(2.0, 4.0), |p| {
        custom_jvp(|p: Pair<F>| p.map(|x| x * 2.0), |p, dp| (p.map(|x| x * 2.0), dp))(p)
    });
    through::<F, _>("grad of custom_jvp", &line(4.0, 1.0), |p| {
        let rule = |p: Pair<F>, dp: Pair<F>| {
            let dy = &p.a * &p.b * 2.0 * dp.a + p.a.square() * dp.b;
            (&p.a * &p.a * &p.b, dy)
        };
        grad(custom_jvp(product, rule))(p)
    });
    through::<F, _>("grad of custom_vjp", &[5.0], |p| {
        let fwd = |x: Array| (x.square(), pair::<F>(x.clone(), x));
        let f = custom_vjp(|x: Array| x.square(), fwd, |p: Pair<F>, ct: Array| p.a * 5.0 * ct);
        grad(f)(p.a)
    });
    through::<F, _>("scan", &[1.0, 3.0, 1.0, 2.0], |p| {
        scan(p, array([0.0]), |p, _| {
            let y = pair::<F>(p.a.expand_dims(0), p.b.expand_dims(0));
            (step(p), y)
        })
    });
    through::<F, _>("scan over", &line(3.0, 3.0), |p| {
        let xs = Pair { a: p.a.expand_dims(0), b: p.b.expand_dims(0), ..p };
        scan_reverse(array(0.0), xs, |c, p: Pair<F>| (c + &p.a + &p.b, p.a + p.b))
    });
    through::<F, _>("map over", &line(2.0, 4.0), |p| {
        map(doubled, Pair { a: p.a.expand_dims(0), b: p.b.expand_dims(0), ..p })
    });
    through::<F, _>("fori_loop", &line(1.0, 5.0), |p| fori_loop(3, p, |_, p| step(p)));
    through::<F, _>("fori_loop_dynamic", &line(1.0, 5.0), |p| {
        fori_loop_dynamic(0, array(3), p, |_, p| step(p))
    });
    through::<F, _>("while_loop", &line(1.0, 5.0), |p| {
        while_loop(|p: Pair<F>| p.b.lt(4.5), step, p)
    });
    through::<F, _>("cond", &line(2.0, 4.0), |p| cond(&array(true), p, doubled, |p| p));
    through::<F, _>("switch", &line(1.0, 3.0), |p| {
        switch(&array(1), p, (doubled, step, |p: Pair<F>| p))
    });
    through::<F, _>("associative_scan", &[1.0, 3.0, 2.0, 6.0], |p| {
        let ramp = |x: &Array| probpipe_trace::stack(&[x.clone(), x * 2.0], 0);
        let p = Pair { a: ramp(&p.a), b: ramp(&p.b), ..p };
        let add = |x: Pair<F>, y: Pair<F>| Pair { a: &x.a + &y.a, b: &x.b + &y.b, ..x };
        associative_scan(add, p, 0, false)
    });
    through::<F, _>("callback in", &[3.0], |p| {
        let like = p.a.clone();
        pure_callback(|p: Pair<F>| p.a + p.b, &like, p)
    });
    through::<F, _>("callback out", &line(1.0, 2.0), |p| {
        let like = pair::<F>(p.a.cast(DType::F32), p.b.cast(DType::F32));
        pure_callback(|p: Pair<F>| p, &like, p)
    });
}

#[test]
fn no_tree_panics_or_lies() {
    zoo::<Sound>();
    zoo::<Refuses>();
    zoo::<RefusesEveryOther>();
    zoo::<ReadsFewer>();
    zoo::<ReadsMore>();
    zoo::<ReadsAnother>();
    zoo::<Swaps>();
    zoo::<Repeats>();
    zoo::<Computes>();
    zoo::<ChangesStatic>();
}

/// The faults are noticed: what needs another tree of the type says so, with what `rebuild` said,
/// at the line of the call.
#[test]
fn a_fault_is_named_at_the_line_of_the_call() {
    let line = line!();
    let f = jit(|p: Pair<Refuses>| p.a + p.b);
    let sum = f(pair(array(1.0), array(2.0)));
    let error = sum.value().unwrap_err();
    says(&error, &["Pair<", "Refuses>` is no tree", "`rebuild` fails: there is no such pair"]);
    assert_eq!(error.location().map(|at| at.line()), Some(line + 1), "{error}");
    assert_eq!(error.kind(), ErrorKind::Tree);
    let line = line!();
    let last = fori_loop(3, pair::<Swaps>(array(1.0), array(2.0)), |_, p| p);
    for leaf in last.leaves() {
        let error = leaf.value().unwrap_err();
        says(&error, &["Swaps>` is no tree"]);
        assert_eq!(error.location().map(|at| at.line()), Some(line + 1), "{error}");
    }
    // Another copy is what a tree that swaps cannot give; with itself all is well.
    says(pair::<Swaps>(array(1.0), array(2.0)).try_map(Array::clone), &["is no tree"]);
    assert!(pair::<Sound>(array(1.0), array(2.0)).try_map(Array::clone).is_ok());
}

/// A tree whose `leaves_mut` visits other leaves than it lists, or in another order.
#[derive(Debug)]
struct Visits<const HOW: usize>(Array, Array);

impl<const HOW: usize> Tree for Visits<HOW> {
    fn flatten<'a>(&'a self, into: &mut Flatten<'a>) {
        into.leaf(&self.0);
        into.leaf(&self.1);
    }
    fn rebuild(from: &mut Rebuild<'_>) -> Result<Self> {
        Ok(Visits(from.leaf()?, from.leaf()?))
    }
    fn leaves_mut(&mut self, visit: &mut dyn FnMut(&mut Array)) {
        let (a, b) = (&mut self.0, &mut self.1);
        match HOW {
            0 => (visit(a), visit(b)),
            1 => (visit(b), visit(a)),
            2 => {
                visit(a);
                visit(b);
                (visit(a), ())
            }
            _ => {
                visit(&mut array(0.0));
                visit(a);
                (visit(b), ())
            }
        };
    }
}

#[test]
fn visits_in_another_order_are_refused() {
    #[track_caller]
    fn refused<const HOW: usize>() {
        let made = || Visits::<HOW>(array(1.0), array(2.0));
        for tree in [made().map(|x| x * 2.0), jit(|x: Visits<HOW>| x)(made())] {
            for leaf in tree.leaves() {
                says(&leaf, &["`leaves_mut` does not visit", "Visits<", "tests/trees.rs:"]);
            }
        }
    }
    refused::<1>();
    refused::<2>();
    refused::<3>();
    let sound = Visits::<0>(array(1.0), array(2.0)).map(|x| x * 2.0);
    close("sound", sound.leaves(), [2.0, 4.0], EXACT);
}

/// A static value that does not equal itself is no fault.
#[test]
fn not_a_number_as_a_static_value() {
    #[derive(Tree)]
    #[tree(crate = probpipe_trace)]
    struct Scaled {
        x: Array,
        #[tree(static)]
        by: f64,
    }
    let slope = grad(|s: Scaled| s.x.square())(Scaled { x: array(3.0), by: f64::NAN });
    close("slope", &slope.x, 6.0, EXACT);
    assert!(slope.by.is_nan());
    with_default_float(DType::F64, || assert_eq!(slope.x.dtype(), DType::F32));
}
