//! Rules that see one leaf at a time: what they remember of a leaf is some arrays of its shape, and
//! how often they were asked. A rule is written for one leaf; trees are taken apart here.

use probpipe_trace::{
    Array, ArrayType, DType, Flatten, Scalar, Tree, full_typed, here, tree_map, with_location,
};

/// What a rule remembers between steps.
#[derive(Tree, Clone, Debug)]
#[tree(crate = probpipe_trace)]
pub struct Memory<P> {
    /// Number of steps so far, `i32[]`.
    pub count: Array,
    /// What the rule keeps for every leaf, as trees of the structure of the parameters.
    pub kept: Vec<P>,
}

/// A rule for one leaf.
pub(super) trait Leafwise {
    /// What is kept of a leaf before the first step.
    fn kept(&self, param: &Array) -> Vec<Array>;

    /// The update, and what is kept after it.
    fn step(&self, leaf: Leaf<'_>) -> (Array, Vec<Array>);
}

/// A leaf at a step.
pub(super) struct Leaf<'a> {
    /// Its gradient, or the update of the rule before.
    pub gradient: &'a Array,
    /// Its value.
    pub param: &'a Array,
    /// What was kept.
    pub kept: &'a [Array],
    /// Number of steps before this one, in the type of the leaf.
    pub before: Array,
}

impl Leaf<'_> {
    /// Number of steps with this one, in the type of the leaf.
    #[track_caller]
    pub fn count(&self) -> Array {
        &self.before + 1.0
    }
}

#[track_caller]
pub(super) fn init<P: Tree + Clone>(rule: &dyn Leafwise, params: &P) -> Memory<P> {
    let leaves = Flatten::of(params).leaves;
    let each: Vec<Vec<Array>> =
        with_location(here(), || leaves.iter().map(|leaf| rule.kept(leaf)).collect());
    let trees = each.first().map_or(0, Vec::len);
    let kept = (0..trees).map(|k| refilled(params, each.iter().map(|kept| kept[k].clone())));
    let count = full_typed(&ArrayType::scalar(DType::I32), Scalar::Int(0));
    Memory { count, kept: kept.collect() }
}

#[track_caller]
pub(super) fn update<P: Tree + Clone>(
    rule: &dyn Leafwise,
    gradients: P,
    state: Memory<P>,
    params: &P,
) -> (P, Memory<P>) {
    // Where the structures differ every gradient becomes an error that says so.
    let gradients = tree_map(|g, _| g, gradients, params.clone());
    let Memory { count, kept } = state;
    let steps: Vec<(Array, Vec<Array>)> = {
        let params = Flatten::of(params).leaves;
        let kept: Vec<_> = kept.iter().map(|tree| Flatten::of(tree).leaves).collect();
        let leaves = Flatten::of(&gradients).leaves;
        let step = |(i, gradient): (usize, &&Array)| {
            let kept: Vec<Array> =
                kept.iter().filter_map(|tree| tree.get(i).map(|&leaf| leaf.clone())).collect();
            let param = params.get(i).copied().unwrap_or(gradient);
            let before = count.cast(param.dtype());
            rule.step(Leaf { gradient, param, kept: &kept, before })
        };
        with_location(here(), || leaves.iter().enumerate().map(step).collect())
    };
    let updates = refilled(&gradients, steps.iter().map(|(update, _)| update.clone()));
    let kept = kept
        .iter()
        .enumerate()
        .map(|(k, tree)| refilled(tree, steps.iter().filter_map(|(_, kept)| kept.get(k).cloned())));
    (updates, Memory { count: count + 1, kept: kept.collect() })
}

/// A tree with other leaves; those beyond the last stay.
fn refilled<P: Tree + Clone>(tree: &P, leaves: impl Iterator<Item = Array>) -> P {
    let mut leaves = leaves;
    tree.clone().map(|old| leaves.next().unwrap_or_else(|| old.clone()))
}

/// Makes rules for leaves optimisers.
macro_rules! leafwise {
    ($($rule:ty),+ $(,)?) => {$(
        impl $crate::optimize::Optimizer for $rule {
            type State<P: probpipe_trace::Tree + Clone> = $crate::optimize::Memory<P>;

            #[track_caller]
            fn init<P: probpipe_trace::Tree + Clone>(&self, params: &P) -> Self::State<P> {
                $crate::optimize::updates::leafwise::init(self, params)
            }

            #[track_caller]
            fn update<P: probpipe_trace::Tree + Clone>(
                &self,
                gradients: P,
                state: Self::State<P>,
                params: &P,
            ) -> (P, Self::State<P>) {
                $crate::optimize::updates::leafwise::update(self, gradients, state, params)
            }
        }
    )+};
}
pub(super) use leafwise;
