//! Gathers equations into kernels. Equations over one iteration space share a kernel unless a
//! path between them leads through another; whole-array operations stand alone.
//!
//! Greedy, in the order of the graph: an equation joins the kernel of one of its operands if it
//! can, else a recent kernel of its space, else begins a new one. Transitive dependencies are bit
//! sets, so that a join costs no search.

use super::Options;
use super::kinds::{self, Kind, Node, NodeKind};
use probpipe_trace::{Graph, Op};
use rustc_hash::FxHashMap;
use smallvec::SmallVec;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Equations that run together.
#[derive(Clone, Debug, Default)]
pub(super) struct Cluster {
    /// The nodes, in the order of the graph.
    pub(super) nodes: Vec<usize>,
    /// What they count for.
    eqns: usize,
    /// Extents of the iteration space without unit axes; `None` for a node that stands alone.
    pub(super) domain: Option<SmallVec<[usize; 4]>>,
    /// The reduced axes of `domain`, once a reduction has joined.
    pub(super) reduced: Option<SmallVec<[usize; 4]>>,
}

impl Cluster {
    /// True for kernels.
    pub(super) fn is_fused(&self) -> bool {
        self.domain.is_some()
    }
}

/// A set of clusters.
#[derive(Clone, Default)]
struct Set(Vec<u64>);

impl Set {
    fn contains(&self, i: usize) -> bool {
        self.0.get(i / 64).is_some_and(|w| w >> (i % 64) & 1 == 1)
    }

    fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        let bits = |(at, &word): (usize, &u64)| {
            (0..64).filter(move |bit| word >> bit & 1 == 1).map(move |bit| at * 64 + bit)
        };
        self.0.iter().enumerate().flat_map(bits)
    }

    fn insert(&mut self, i: usize) {
        if self.0.len() <= i / 64 {
            self.0.resize(i / 64 + 1, 0);
        }
        self.0[i / 64] |= 1 << (i % 64);
    }

    /// Adds all of `other`; true if anything was new.
    fn extend(&mut self, other: &Set) -> bool {
        if self.0.len() < other.0.len() {
            self.0.resize(other.0.len(), 0);
        }
        let mut grew = false;
        for (mine, theirs) in self.0.iter_mut().zip(&other.0) {
            grew |= *theirs & !*mine != 0;
            *mine |= theirs;
        }
        grew
    }
}

/// Recent kernels of a space that an equation tries to join.
const RECENT: usize = 6;

/// From this many points on a kernel is large beside one of [`FEWER`] times fewer.
const LARGE: usize = 4096;
const FEWER: usize = 64;

/// The position of each raw axis among the axes that are not of extent 1.
pub(super) fn dense_axes(domain: &[usize]) -> SmallVec<[Option<usize>; 4]> {
    let mut next = 0;
    domain
        .iter()
        .map(|&n| {
            (n != 1).then(|| {
                next += 1;
                next - 1
            })
        })
        .collect()
}

struct Clustering<'a> {
    graph: &'a Graph,
    kinds: &'a [Kind],
    nodes: &'a [Node],
    options: &'a Options,
    clusters: Vec<Cluster>,
    of: Vec<usize>,
    ancestors: Vec<Set>,
    /// Clusters that are an ancestor of some other.
    is_ancestor: Set,
}

/// Clusters in an order in which they can run.
pub(super) fn cluster(
    graph: &Graph,
    kinds: &[Kind],
    nodes: &[Node],
    options: &Options,
) -> Vec<Cluster> {
    let mut c = Clustering {
        graph,
        kinds,
        nodes,
        options,
        clusters: Vec::new(),
        of: vec![usize::MAX; nodes.len()],
        ancestors: Vec::new(),
        is_ancestor: Set::default(),
    };
    let mut recent: FxHashMap<SmallVec<[usize; 4]>, Vec<usize>> = FxHashMap::default();
    for n in 0..nodes.len() {
        c.place(n, &mut recent);
    }
    c.in_order()
}

impl Clustering<'_> {
    fn place(&mut self, n: usize, recent: &mut FxHashMap<SmallVec<[usize; 4]>, Vec<usize>>) {
        let node = &self.nodes[n];
        // For each operand that is computed: its cluster, and whether the node could use its
        // value in a register.
        let operands: Vec<(usize, bool)> = node
            .reads(self.graph)
            .iter()
            .filter_map(|(var, map)| {
                let (base, map) = kinds::chase(self.kinds, *var, map);
                let producer = kinds::dependency(self.kinds, self.nodes, node, base)?;
                let register = matches!(self.kinds[base.index()], Kind::Node(_))
                    && self.nodes[producer].kind == NodeKind::Point
                    && kinds::is_identity(self.graph, node, base, &map);
                Some((self.of[producer], register))
            })
            .collect();

        let fused = matches!(node.kind, NodeKind::Point | NodeKind::Relayout | NodeKind::Reduce);
        if !fused {
            let at = self.add(Cluster { nodes: vec![n], ..Cluster::default() });
            self.join(n, at, &operands);
            return;
        }
        let dense = dense_axes(&node.domain);
        let domain: SmallVec<[usize; 4]> =
            node.domain.iter().copied().filter(|&e| e != 1).collect();
        let reduced: Option<SmallVec<[usize; 4]>> = (node.kind == NodeKind::Reduce)
            .then(|| node.reduced.iter().filter_map(|&a| dense[a]).collect());

        let eqns = match self.graph.eqns()[node.eqn].op {
            Op::Special(_) => self.options.special_eqns,
            Op::Unary(op) if op.is_special() => self.options.special_eqns,
            _ => 1,
        };
        let list = recent.entry(domain.clone()).or_default();
        let mut own: Vec<usize> =
            operands.iter().filter(|(_, register)| *register).map(|(at, _)| *at).collect();
        own.sort_unstable_by_key(|&at| Reverse(at));
        own.dedup();
        let candidates: Vec<usize> =
            own.into_iter().chain(list.iter().rev().copied().take(RECENT)).collect();
        let found = candidates.into_iter().find(|&at| {
            let cluster = &self.clusters[at];
            cluster.eqns + eqns <= self.options.kernel_eqns
                && cluster.domain.as_ref() == Some(&domain)
                && (reduced.is_none() || cluster.reduced.is_none() || cluster.reduced == reduced)
                && !self.delays(at, &domain, &operands)
                && operands.iter().all(|&(from, register)| {
                    if from == at { register } else { !self.ancestors[from].contains(at) }
                })
        });
        let at = match found {
            Some(at) => {
                self.clusters[at].nodes.push(n);
                self.clusters[at].eqns += eqns;
                at
            }
            None => {
                let cluster =
                    Cluster { nodes: vec![n], eqns, domain: Some(domain.clone()), reduced: None };
                let at = self.add(cluster);
                recent.entry(domain).or_default().push(at);
                at
            }
        };
        if reduced.is_some() {
            self.clusters[at].reduced = reduced;
        }
        self.join(n, at, &operands);
    }

    /// Whether a node of few points with these operands would have all of cluster `at` wait for a
    /// large kernel that it does not wait for yet. What else is in the cluster may be read by that
    /// kernel, or by others of its space, which then could not share its pass over the data: so it
    /// is with functions of parameters beside sums over many points.
    fn delays(&self, at: usize, domain: &[usize], operands: &[(usize, bool)]) -> bool {
        let size = |domain: &[usize]| domain.iter().product::<usize>();
        let points = size(domain);
        let large = |from: usize| {
            let of = self.clusters[from].domain.as_deref().map_or(0, size);
            of >= LARGE && of / FEWER >= points
        };
        let known = &self.ancestors[at];
        let new = |from: usize| from != at && !known.contains(from);
        operands.iter().filter(|&&(from, _)| new(from)).any(|&(from, _)| {
            large(from) || self.ancestors[from].iter().any(|above| new(above) && large(above))
        })
    }

    fn add(&mut self, cluster: Cluster) -> usize {
        self.clusters.push(cluster);
        self.ancestors.push(Set::default());
        self.clusters.len() - 1
    }

    /// Records that node `n` is in cluster `at`, which depends on the clusters of its operands.
    fn join(&mut self, n: usize, at: usize, operands: &[(usize, bool)]) {
        self.of[n] = at;
        let mut grew = false;
        for &(from, _) in operands {
            if from != at && !self.ancestors[at].contains(from) {
                let theirs = std::mem::take(&mut self.ancestors[from]);
                self.ancestors[at].extend(&theirs);
                self.ancestors[from] = theirs;
                self.ancestors[at].insert(from);
                self.is_ancestor.insert(from);
                grew = true;
            }
        }
        if grew && self.is_ancestor.contains(at) {
            let mine = std::mem::take(&mut self.ancestors[at]);
            for other in 0..self.clusters.len() {
                if other != at && self.ancestors[other].contains(at) {
                    self.ancestors[other].extend(&mine);
                }
            }
            self.ancestors[at] = mine;
        }
    }

    /// The clusters, each after those it depends on, otherwise by their first equation.
    fn in_order(self) -> Vec<Cluster> {
        let this = &self;
        let n = this.clusters.len();
        let mut successors = vec![Vec::new(); n];
        let mut waiting = vec![0usize; n];
        for (at, cluster) in this.clusters.iter().enumerate() {
            let mut direct: Vec<usize> = cluster
                .nodes
                .iter()
                .flat_map(|&n| {
                    let node = &this.nodes[n];
                    node.reads(this.graph).into_iter().filter_map(move |(var, map)| {
                        let (base, _) = kinds::chase(this.kinds, var, &map);
                        let from = kinds::dependency(this.kinds, this.nodes, node, base)?;
                        Some(this.of[from])
                    })
                })
                .filter(|&from| from != at)
                .collect();
            direct.sort_unstable();
            direct.dedup();
            waiting[at] = direct.len();
            for from in direct {
                successors[from].push(at);
            }
        }
        let key = |at: usize| Reverse((self.clusters[at].nodes[0], at));
        let mut ready: BinaryHeap<_> = (0..n).filter(|&at| waiting[at] == 0).map(key).collect();
        let mut order = Vec::with_capacity(n);
        while let Some(Reverse((_, at))) = ready.pop() {
            order.push(at);
            for &next in &successors[at] {
                waiting[next] -= 1;
                if waiting[next] == 0 {
                    ready.push(key(next));
                }
            }
        }
        debug_assert_eq!(order.len(), n, "kernels depend on each other in a circle");
        let mut clusters = self.clusters;
        order.into_iter().map(|at| std::mem::take(&mut clusters[at])).collect()
    }
}
