//! Trees: flatten and rebuild, derived for structs and enums, with paths and static fields.

use probpipe_trace::{Array, Result, Tree, array, tree_map, tree_map3};
use std::collections::BTreeMap;

#[derive(Tree, Debug)]
#[tree(crate = probpipe_trace)]
struct Linear<W> {
    weights: W,
    bias: Option<Array>,
    #[tree(static)]
    name: String,
}

#[derive(Tree, Debug)]
#[tree(crate = probpipe_trace)]
#[allow(clippy::large_enum_variant)] // Layers are few; boxing them would only blur the test.
enum Layer {
    Dense(Linear<Array>, Array),
    Scale { by: Array },
    Nothing,
}

fn linear() -> Linear<Array> {
    Linear { weights: array([1.0, 2.0]), bias: Some(array(3.0)), name: "first".into() }
}

#[test]
fn derived_trees_keep_fields_and_static_values() -> Result<()> {
    let doubled = linear().map(|x| x * 2.0);
    assert_eq!(doubled.weights.to_vec::<f32>()?, [2.0, 4.0]);
    assert_eq!(doubled.bias.map(|b| b.item::<f32>()).transpose()?, Some(6.0));
    assert_eq!(doubled.name, "first");
    Ok(())
}

#[test]
fn static_fields_and_variants_are_structure() {
    let mut other = linear();
    assert_eq!(linear().structure(), other.structure());
    other.name = "second".into();
    assert_ne!(linear().structure(), other.structure());
    let scale = Layer::Scale { by: array(1.0) };
    assert_ne!(scale.structure(), Layer::Nothing.structure());
    assert_eq!(Layer::Nothing.structure().num_leaves(), 0);
}

#[test]
fn paths_name_leaves() {
    let dense = Layer::Dense(linear(), array(1.0));
    assert_eq!(dense.structure().paths(), [".0.weights", ".0.bias", ".1"]);
    let map = BTreeMap::from([("b".to_string(), array(1.0)), ("a".to_string(), array(2.0))]);
    let tree = (array(0.0), vec![array(1.0), array(2.0)], map);
    assert_eq!(tree.structure().paths(), [".0", ".1[0]", ".1[1]", ".2[\"a\"]", ".2[\"b\"]"]);
}

#[test]
fn rebuilding_from_another_structure_is_an_error() {
    let pair = (array(1.0), array(2.0));
    let built: Result<Vec<Array>> = pair.structure().build(pair.leaves());
    assert!(built.is_err());
    let built: Result<(Array, Array)> = pair.structure().build(vec![array(1.0)]);
    assert!(built.is_err());
}

#[test]
fn trees_are_combined_leaf_by_leaf() -> Result<()> {
    let (p, g) = (linear(), linear().map(|x| x * 10.0));
    let scale = linear().map(|x| x * 2.0);
    let moved = tree_map3(|p, g, s| p - g / s, p, g, scale);
    assert_eq!(moved.weights.to_vec::<f32>()?, [-4.0, -3.0]);
    assert_eq!(moved.name, "first");
    // Another structure is an error in every leaf, at the caller's line.
    let mut other = linear();
    other.name = "second".into();
    let line = line!() + 1;
    let two = tree_map(|a, b| a + b, linear(), other);
    let mut other = linear();
    other.bias = None;
    let three = tree_map3(|a, b, c| a + b + c, linear(), linear(), other);
    let error = two.weights.value().unwrap_err();
    assert!(error.to_string().starts_with("`tree_map` of two trees"), "{error}");
    assert_eq!(two.weights.location().line(), line);
    let error = three.bias.unwrap().value().unwrap_err();
    assert!(error.to_string().starts_with("`tree_map3` of three trees"), "{error}");
    Ok(())
}
