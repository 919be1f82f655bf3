//! Records, nested and in batches, as values and as trees.

use probpipe::prelude::*;
use probpipe::{Part, RecordBatch, full_factorial, graph_of};

fn nested() -> Record {
    Record::new([("mu", array(0.5)), ("x", array([1.0, 2.0]))])
        .with("pos/a", array(3.0))
        .with("pos/deep/b", array([4.0]))
        .with("pos/c", array(5.0))
}

fn told<T>(result: probpipe::Result<T>) -> String {
    result.err().map(|e| e.to_string()).unwrap_or_default()
}

#[test]
fn parts_by_path() {
    let r = nested();
    assert_eq!(r.names(), ["mu", "x", "pos"]);
    assert_eq!(r.paths(), ["mu", "x", "pos/a", "pos/deep/b", "pos/c"]);
    assert_eq!(r["pos/deep/b"].to_vec::<f32>().unwrap(), [4.0]);
    assert_eq!(r.record("pos").map(Record::len), Some(3));
    assert!(matches!(r.part("pos/deep"), Some(Part::Record(_))));
    assert!(r.get("pos").is_none() && r.part("mu/a").is_none() && r.part("pos/z").is_none());
    let error = r["pos"].error().unwrap().to_string();
    assert!(error.contains("`pos` is a record") && error.contains("records.rs"), "{error}");
    assert!(r["po"].error().unwrap().to_string().contains("the record has no `po`"));
    // An array gives way to a record, and the other way round.
    let r = r.with("mu/low", 1.0).with("pos", 2.0);
    assert_eq!(r.paths(), ["mu/low", "x", "pos"]);
}

#[test]
fn printed_as_trees() {
    let text = nested().to_string();
    let want = "mu: 0.5\nx: [1.0 2.0]\npos\n├── a: 3.0\n├── deep\n│   └── b: [4.0]\n└── c: 5.0";
    assert_eq!(text, want);
    let matrix = Record::new([("m", array([[1.0, 2.0], [3.0, 4.0]]))]);
    let lines: Vec<String> = matrix.to_string().lines().map(str::to_string).collect();
    assert!(lines.len() == 2 && lines[1].starts_with("    "), "{lines:?}");
    assert_eq!(Record::default().to_string(), "");
}

#[test]
fn records_are_changed_by_path() {
    let r = nested();
    let rest = r.without(["mu", "pos/deep/b"]).unwrap();
    assert_eq!(rest.paths(), ["x", "pos/a", "pos/c"], "a record that is empty goes");
    assert!(told(r.without(["nu"])).contains("the record has no `nu`"));
    assert!(told(r.without(["pos/nu"])).contains("mu, x, pos/a, pos/deep/b, pos/c"));

    let other = r.replace("pos/a", 30.0).unwrap();
    assert_eq!(other["pos/a"].item::<f32>().unwrap(), 30.0);
    assert_eq!(other.paths(), r.paths());
    assert!(told(r.replace("pos/aa", 1.0)).contains("no `pos/aa`"));

    let chosen = r.select(["pos/c", "mu"]).unwrap();
    assert_eq!(chosen.paths(), ["pos/c", "mu"]);
    assert!(told(r.select(["m"])).contains("no `m`"));

    let more = r.merge(&Record::new([("tau", 1.0)]).with("pos/d", 6.0)).unwrap();
    assert_eq!(more.paths(), ["mu", "x", "pos/a", "pos/deep/b", "pos/c", "pos/d", "tau"]);
    for clash in [Record::new([("mu", 1.0)]), Record::new([("pos", 1.0)]), nested()] {
        assert!(told(r.merge(&clash)).contains("both records have"), "{clash}");
    }
    let below = Record::default().with("mu/low", 1.0);
    assert!(told(r.merge(&below)).contains("both records have `mu`"));
}

#[test]
fn records_are_trees() {
    let loss = |r: Record| r["x"].square().sum() * &r["mu"] + r["pos/deep/b"].sum();
    let slopes = jit(grad(loss))(nested());
    assert_eq!(slopes.paths(), nested().paths());
    assert_eq!(slopes["x"].to_vec::<f32>().unwrap(), [1.0, 2.0]);
    assert_eq!(slopes["pos/a"].item::<f32>().unwrap(), 0.0);
    let (vector, unravel) = ravel(&nested()).unwrap();
    assert_eq!(vector.to_vec::<f32>().unwrap(), [0.5, 1.0, 2.0, 3.0, 4.0, 5.0]);
    let again: Record = unravel.tree(&vector).unwrap();
    assert_eq!(again.to_string(), nested().to_string());
    // Another form is another program, the same form is not.
    assert!(graph_of(|r: Record| r["pos/c"].exp(), &nested()).is_ok());
    let f = jit(|r: Record| r["a"].clone() + 1.0);
    assert_eq!(f(Record::new([("a", 1.0)])).item::<f32>().unwrap(), 2.0);
    let error = f(Record::new([("b", 1.0)]));
    assert!(error.error().unwrap().to_string().contains("the record has no `a`"));
}

fn draws() -> RecordBatch {
    let x = arange(24).cast(DType::F32).reshape([2, 3, 4]);
    let record = Record::new([("mu", x.at_axis(2, 0)), ("x", x)]);
    RecordBatch::new(["chain", "draw"], record).unwrap()
}

#[test]
fn levels_by_name() {
    let batch = draws();
    assert_eq!((batch.size("chain").unwrap(), batch.size("draw").unwrap()), (2, 3));
    assert_eq!(batch.to_string(), "[chain, draw]\nmu: f32[2,3]\nx: f32[2,3,4]");
    let second = batch.at("chain", 1).unwrap();
    assert_eq!(second.levels(), ["draw"]);
    assert_eq!(second.record()["mu"].to_vec::<f32>().unwrap(), [12.0, 16.0, 20.0]);
    assert_eq!(second.get(-1).unwrap()["x"].to_vec::<f32>().unwrap(), [20.0, 21.0, 22.0, 23.0]);
    let last = batch.at("draw", -1).unwrap();
    assert_eq!(last.record()["mu"].to_vec::<f32>().unwrap(), [8.0, 20.0]);
    let means = batch.over("chain", |x, axis| x.mean_axes(axis)).unwrap();
    assert_eq!(means.record()["mu"].to_vec::<f32>().unwrap(), [6.0, 10.0, 14.0]);
    // A batch is a tree too.
    let doubled = jit(|b: RecordBatch| b.map(|x| x * 2.0))(batch);
    assert_eq!(doubled.at("chain", 0).unwrap().get(1).unwrap()["mu"].item::<f32>().unwrap(), 8.0);
}

#[test]
fn batches_that_do_not_fit() {
    let batch = draws();
    assert!(told(batch.size("draws")).contains("its levels are: chain, draw"));
    assert!(told(batch.at("chain", 2)).contains("2"));
    assert!(told(batch.get(0)).contains("one index for 2 levels"));
    let uneven = Record::new([("a", zeros([2, 3])), ("b", zeros([2, 4]))]);
    let error = told(RecordBatch::new(["chain", "draw"], uneven.clone()));
    assert!(error.contains("`b` has [2, 4]") && error.contains("`a` [2, 3]"), "{error}");
    assert!(RecordBatch::new(["chain"], uneven.clone()).is_ok());
    assert!(told(RecordBatch::new(["a", "b", "c"], uneven.clone())).contains("2 axes for 3"));
    assert!(told(RecordBatch::new(["a", "a"], uneven)).contains("two levels have the name `a`"));
    let kept = draws().over("draw", |x, _| x.clone());
    assert!(kept.is_ok_and(|b| b.levels() == ["chain"]), "the axis is then an event's");
    let wrong = draws().over("chain", |x, _| x.sum());
    assert!(told(wrong).contains("0 axes for 1 levels"));
}

#[test]
fn records_stacked() {
    let of = |i: f64| Record::new([("a", array(i))]).with("p/b", array([i, -i]));
    let records: Vec<Record> = (0..3).map(|i| of(f64::from(i))).collect();
    let batch = RecordBatch::stack("draw", &records).unwrap();
    assert_eq!(batch.record()["p/b"].shape(), [3, 2]);
    assert_eq!(batch.get(2).unwrap().to_string(), records[2].to_string());
    let other = [of(1.0), Record::new([("a", 1.0)])];
    assert!(told(RecordBatch::stack("draw", &other)).contains("no `p/b`"));
    let more = [Record::new([("a", 1.0)]), of(1.0)];
    assert!(told(RecordBatch::stack("draw", &more)).contains("different forms"));
    assert!(told(RecordBatch::stack("draw", [])).contains("no records"));
}

#[test]
fn designs() {
    let values = Record::new([("a", array([1.0, 2.0]))])
        .with("p/b", array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]));
    let design = full_factorial(&values).unwrap();
    assert_eq!(design.levels(), ["run"]);
    assert_eq!(design.record()["a"].to_vec::<f32>().unwrap(), [1.0, 1.0, 1.0, 2.0, 2.0, 2.0]);
    let runs: Vec<Vec<f32>> =
        (0..6).map(|i| design.get(i).unwrap()["p/b"].to_vec().unwrap()).collect();
    assert_eq!(runs[..3], runs[3..]);
    assert_eq!(runs[2], [1.0, 1.0]);
    assert!(told(full_factorial(&Record::new([("a", 1.0)]))).contains("is one number"));
    assert!(told(full_factorial(&Record::default())).contains("no parts"));
    // Every run through a function at once.
    let f = vmap(|r: Record| &r["a"] * r["p/b"].sum());
    assert_eq!(f(design.record().clone()).to_vec::<f32>().unwrap(), [1., 1., 2., 2., 2., 4.]);
}
