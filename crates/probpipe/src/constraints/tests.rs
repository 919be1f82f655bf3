//! Constraints say the same of numbers and of arrays, and a value is looked through once.

use super::*;
use probpipe_trace::{array, eye};
use std::cell::Cell;

thread_local! {
    /// How often a value was looked through on this thread.
    pub(crate) static SEARCHES: Cell<usize> = const { Cell::new(0) };
}

/// Those without bounds, of numbers.
const PLAIN: [Constraint; 10] = [
    Constraint::Real,
    Constraint::Positive,
    Constraint::NonNegative,
    Constraint::UnitInterval,
    Constraint::OpenUnitInterval,
    Constraint::Below(-1.0),
    Constraint::Boolean,
    Constraint::Integer,
    Constraint::NonNegativeInteger,
    Constraint::PositiveInteger,
];

#[test]
fn numbers_and_arrays_agree() {
    let (inf, nan) = (f64::INFINITY, f64::NAN);
    let grid = [-inf, -2.0, -0.5, -0.0, 0.0, 1e-30, 0.5, 1.0, 1.5, 2.0, 1e30, inf, nan];
    for constraint in PLAIN {
        let alone = grid.map(|x| constraint.holds(x).unwrap());
        assert!(alone.contains(&true) && alone.contains(&false), "{constraint}");
        let together = constraint.check(&Array::from_slice(&grid, [grid.len()]));
        assert_eq!(together.to_vec::<bool>().unwrap(), alone, "{constraint}");
        for (x, inside) in grid.into_iter().zip(alone) {
            assert_eq!(constraint.violation(&Array::from(x)).is_none(), inside, "{constraint} {x}");
        }
    }
}

#[test]
fn vectors_and_matrices() {
    let inside = |c: Constraint, x: Array| c.check(&x).to_vec::<bool>().unwrap();
    let rows = array([[0.25, 0.75], [0.5, 0.75], [1.25, -0.25]]);
    assert_eq!(inside(Constraint::Simplex, rows.clone()), [true, false, false]);
    assert_eq!(inside(Constraint::RealVector, rows.log()), [true, true, false]);
    let lower =
        array([[[1.0, 0.0], [-3.0, 2.0]], [[1.0, 0.5], [0.0, 2.0]], [[1.0, 0.0], [0.0, 0.0]]]);
    assert_eq!(inside(Constraint::LowerCholesky, lower), [true, false, false]);
    let square =
        array([[[2.0, 1.0], [1.0, 2.0]], [[1.0, 2.0], [2.0, 1.0]], [[2.0, 1.0], [0.0, 2.0]]]);
    assert_eq!(inside(Constraint::PositiveDefinite, square.clone()), [true, false, false]);
    let found = Constraint::PositiveDefinite.violation(&square).unwrap();
    assert_eq!(found, Violation { index: vec![1], value: None });
    assert!(Constraint::PositiveDefinite.violation(&eye(3)).is_none());
}

#[test]
fn bounds_are_arrays() {
    let interval = Constraint::Interval(array([0.0, 1.0]), array(2.0));
    let x = array([[0.5, 0.5], [2.0, 2.5]]);
    assert_eq!(interval.check(&x).to_vec::<bool>().unwrap(), [true, false, true, false]);
    let found = interval.violation(&x).unwrap();
    assert_eq!((found.index, found.value.as_deref()), (vec![0, 1], Some("0.5")));
    let integers = Constraint::IntegerInterval(array(0), array(3));
    assert_eq!(integers.check(&array([0, 3, 4])).to_vec::<bool>().unwrap(), [true, true, false]);
    assert_eq!(integers.to_string(), "an integer in [0, 3]");
}

#[test]
fn a_value_is_looked_through_once() {
    let count = |f: &dyn Fn()| {
        let before = SEARCHES.get();
        f();
        SEARCHES.get() - before
    };
    let x = array([0.5, 0.25]);
    let known = |c: Constraint, x: &Array| assert!(c.violation(x).is_none());
    assert_eq!(count(&|| known(Constraint::Positive, &x)), 1);
    assert_eq!(count(&|| known(Constraint::Positive, &x.clone())), 0);
    assert_eq!(count(&|| known(Constraint::UnitInterval, &x)), 1, "another question");
    assert_eq!(count(&|| known(Constraint::Positive, &(&x + 1.0))), 1, "another value");
    let negative = array([0.5, -0.25]);
    let refused = || assert!(Constraint::Positive.violation(&negative).is_some());
    assert_eq!(count(&|| (0..2).for_each(|_| refused())), 2, "what is wrong stays so");
}

#[test]
fn a_value_that_is_written_forgets() {
    let mut value = Value::from_elements(&[1.0f32; 64], &[64]).unwrap();
    value.note(6);
    assert!(value.noted(2) && value.clone().noted(4) && !value.noted(1));
    assert!(value.bytes_mut().is_some());
    assert!(!value.noted(2));
}

/// What formulas are given in place of a number outside lies inside.
#[test]
fn inner_elements_lie_inside() {
    let (low, high) = (array([-1e8, 0.0, 1e20]), array([-9e7, 0.5, 1e21]));
    let bounded = [
        Constraint::AtLeast(low.clone()),
        Constraint::GreaterThan(low.clone()),
        Constraint::AtMost(low.clone()),
        Constraint::Interval(low, high),
        Constraint::IntegerInterval(array([-3, 0]), array([2, 1])),
    ];
    for constraint in PLAIN.into_iter().chain(bounded) {
        let inside = constraint.check(&constraint.inner().unwrap());
        assert!(inside.all().item::<bool>().unwrap(), "{constraint}");
    }
    assert!(Constraint::Simplex.inner().is_none());
}
