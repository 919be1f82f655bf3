//! Lowers a graph, block by block: analyse what each variable is, gather equations into kernels,
//! give values storage, emit statements in order. Loop bodies are blocks of their own.

mod analyse;
mod arena;
mod cluster;
mod contract;
mod control;
mod exprs;
mod flatten;
mod indexing;
mod kernel;
mod kinds;
mod library;
mod operands;
mod threefry;

use crate::program::*;
use cluster::Cluster;
use kinds::{AxisMap, Kind, NodeKind, Source, What};
use probpipe_trace::{
    ArrayType, DType, Error, ErrorKind, Graph, Loc, Op, Result, VarId, Verified, row_major_strides,
};
use rustc_hash::FxHashMap;
use smallvec::SmallVec;

/// What the device asks of a lowering.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Bytes that one element takes in the arena.
    pub element_bytes: fn(DType) -> usize,
    /// Alignment of arena buffers in bytes.
    pub alignment: usize,
    /// Contractions with at least this many multiplications become library calls; `None` makes
    /// kernels of all.
    pub library_matmul: Option<usize>,
    /// Of those, products with a matrix of up to this many elements are kernels all the same: it
    /// stays in a cache, and what comes before and after joins them.
    pub small_matrix: usize,
    /// The same for products of a matrix that is in memory with a vector.
    pub library_matvec: Option<usize>,
    /// Padding and joining up to this many elements is fused with guarded loads instead of being
    /// written piece by piece.
    pub guarded: usize,
    /// Special functions are expressions of kernels, not library calls.
    pub special_inline: bool,
    /// Most equations that one kernel takes in.
    pub kernel_eqns: usize,
    /// For how many of them a special function counts. Where they are written out in kernels, their
    /// text is that long, and compilers take a time that grows with the square of it.
    pub special_eqns: usize,
    /// Whether products and the sums that take them round once instead of twice.
    pub contract: bool,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            element_bytes: DType::size,
            alignment: 64,
            library_matmul: Some(4096),
            small_matrix: 0,
            library_matvec: None,
            guarded: 64,
            special_inline: false,
            kernel_eqns: 512,
            special_eqns: 1,
            contract: false,
        }
    }
}

/// Lowers a verified graph.
pub fn lower(graph: Verified<'_>, options: &Options) -> Result<Program> {
    let graph = &*flatten::flatten_calls(graph.graph());
    let mut cx = Context { options: *options, buffers: Vec::new(), loops: 0 };
    let bindings: Vec<Source> = graph
        .input_types()
        .enumerate()
        .map(|(i, ty)| Source::buffer(cx.buffer(ty.clone(), Place::Input(i)), &ty.shape))
        .collect();
    let targets: Vec<Target> = graph
        .output_types()
        .enumerate()
        .map(|(i, ty)| {
            let buffer = cx.buffer(ty.clone(), Place::Output(i));
            Target { source: Source::buffer(buffer, &ty.shape), carry: None }
        })
        .collect();
    let mut body = block(&mut cx, graph, &bindings, &targets)?;
    let arena_bytes = arena::plan(&mut cx, &mut body);
    Ok(Program {
        buffers: cx.buffers,
        inputs: graph.inputs().len(),
        outputs: graph.output_types().cloned().collect(),
        body,
        arena_bytes,
        loops: cx.loops as usize,
    })
}

/// What all blocks of a program share.
struct Context {
    options: Options,
    buffers: Vec<Buffer>,
    loops: u32,
}

impl Context {
    fn buffer(&mut self, ty: ArrayType, place: Place) -> BufferId {
        self.buffers.push(Buffer { ty, place });
        BufferId(self.buffers.len() as u32 - 1)
    }

    /// An intermediate; the arena plan gives it its offset.
    fn temporary(&mut self, ty: ArrayType) -> BufferId {
        self.buffer(ty, Place::Arena(usize::MAX))
    }
}

/// Where a block's output must be written.
struct Target {
    source: Source,
    /// The block's input that lives in the same buffer, for the carries of a loop.
    carry: Option<usize>,
}

/// A block under construction.
struct Block<'a> {
    cx: &'a mut Context,
    graph: &'a Graph,
    kinds: Vec<Kind>,
    nodes: Vec<kinds::Node>,
    /// Where computed variables lie, once decided.
    storage: Vec<Option<Source>>,
    stmts: Vec<Stmt>,
}

/// Lowers one block: reads `bindings`, writes `targets`.
fn block(
    cx: &mut Context,
    graph: &Graph,
    bindings: &[Source],
    targets: &[Target],
) -> Result<Vec<Stmt>> {
    let (kinds, nodes) = analyse::analyse(cx, graph, bindings)?;
    let clusters = cluster::cluster(graph, &kinds, &nodes, &cx.options);
    let storage = vec![None; graph.num_vars()];
    let mut block = Block { cx, graph, kinds, nodes, storage, stmts: Vec::new() };
    let direct = block.assign_targets(&clusters, targets);
    let stored = block.stored(&clusters, targets);
    for cluster in &clusters {
        block.emit(cluster, &stored)?;
    }
    block.finish_targets(targets, &direct);
    Ok(block.stmts)
}

impl Block<'_> {
    /// The computed variable or source behind `var` read through `map`, views composed.
    fn chase(&self, var: VarId, map: &[AxisMap]) -> (VarId, SmallVec<[AxisMap; 4]>) {
        kinds::chase(&self.kinds, var, map)
    }

    /// Gives outputs that a kernel can write in place the target as their storage. Returns which
    /// targets are served that way.
    fn assign_targets(&mut self, clusters: &[Cluster], targets: &[Target]) -> Vec<bool> {
        let mut direct = vec![false; targets.len()];
        let position: FxHashMap<usize, usize> = clusters
            .iter()
            .enumerate()
            .flat_map(|(at, cluster)| cluster.nodes.iter().map(move |&n| (n, at)))
            .collect();
        for (i, target) in targets.iter().enumerate() {
            let var = self.graph.outputs()[i];
            let Kind::Node(node) = self.kinds[var.index()] else { continue };
            // Loops write their carries while they run, and have their own buffers for results
            // of which the caller wants no copy.
            let safe = match target.carry {
                None => true,
                Some(input) => {
                    self.carry_is_dead(clusters, position[&node], input, node, &target.source)
                }
            };
            if self.storage[var.index()].is_none() && safe {
                self.storage[var.index()] = Some(target.source.clone());
                direct[i] = true;
            }
        }
        direct
    }

    /// Whether nothing reads the old carry `input` at or after cluster `writer` but at the very
    /// element that is being written. A scatter into the carry reads the rest of it only to leave
    /// it as it is, and branches to which it is given whole see for themselves to it that they do
    /// not read what they have written.
    fn carry_is_dead(
        &self,
        clusters: &[Cluster],
        writer: usize,
        input: usize,
        node: usize,
        target: &Source,
    ) -> bool {
        let Kind::Source(Source { what: old, .. }) =
            &self.kinds[self.graph.inputs()[input].index()]
        else {
            return false;
        };
        let reads_old =
            |base: VarId| matches!(&self.kinds[base.index()], Kind::Source(s) if s.what == *old);
        let pointwise = matches!(self.nodes[node].kind, NodeKind::Point);
        for (at, cluster) in clusters.iter().enumerate().skip(writer) {
            for &n in &cluster.nodes {
                for (operand, (var, map)) in self.nodes[n].reads(self.graph).into_iter().enumerate()
                {
                    let (base, map) = self.chase(var, &map);
                    if !reads_old(base) {
                        continue;
                    }
                    if n == node && self.is_handed_over(node, operand, (base, &map), target) {
                        continue;
                    }
                    let same_element = at == writer
                        && pointwise
                        && cluster.is_fused()
                        && kinds::is_identity(self.graph, &self.nodes[n], base, &map);
                    if !same_element {
                        return false;
                    }
                }
            }
        }
        // Outputs that are copied at the end of the block read late.
        !self.graph.outputs().iter().any(|&out| {
            let (base, _) = self.chase(out, &kinds::identity(self.graph.ty(out).rank()));
            reads_old(base)
        })
    }

    /// Whether an operand of the node is what it makes its result of, where that lies: the array
    /// of a scatter, or what is given to branches. That which chooses among these is read by each.
    fn is_handed_over(
        &self,
        node: usize,
        operand: usize,
        (base, map): (VarId, &[AxisMap]),
        target: &Source,
    ) -> bool {
        let chosen = match self.graph.eqns()[self.nodes[node].eqn].op {
            Op::Scatter { .. } => operand == 0,
            Op::Switch(_) => operand > 0,
            _ => false,
        };
        chosen && self.source(base, map, map.len()).is_ok_and(|source| source == *target)
    }

    /// Which computed variables must be in memory: read by another cluster or as whole arrays,
    /// or wanted as outputs.
    fn stored(&self, clusters: &[Cluster], targets: &[Target]) -> Vec<bool> {
        let mut stored = vec![false; self.graph.num_vars()];
        let mut cluster_of = vec![usize::MAX; self.nodes.len()];
        for (at, cluster) in clusters.iter().enumerate() {
            for &n in &cluster.nodes {
                cluster_of[n] = at;
            }
        }
        for (n, node) in self.nodes.iter().enumerate() {
            for (var, map) in node.reads(self.graph) {
                let (base, map) = self.chase(var, &map);
                match self.kinds[base.index()] {
                    Kind::Node(_)
                        if kinds::dependency(&self.kinds, &self.nodes, node, base).is_none() => {}
                    Kind::Node(producer) => {
                        let inline = cluster_of[producer] == cluster_of[n]
                            && clusters[cluster_of[n]].is_fused()
                            && kinds::is_identity(self.graph, node, base, &map);
                        stored[base.index()] |= !inline;
                    }
                    Kind::Alias { base } => stored[base.index()] = true,
                    Kind::Source(_) | Kind::View { .. } => {}
                }
            }
        }
        for (i, _) in targets.iter().enumerate() {
            let out = self.graph.outputs()[i];
            let (base, _) = self.chase(out, &kinds::identity(self.graph.ty(out).rank()));
            let base = match self.kinds[base.index()] {
                Kind::Alias { base } => base,
                _ => base,
            };
            stored[base.index()] = true;
        }
        stored
    }

    /// The storage of a computed variable, made on first use.
    fn storage_of(&mut self, var: VarId) -> Source {
        if let Some(source) = &self.storage[var.index()] {
            return source.clone();
        }
        let ty = self.graph.ty(var).clone();
        let source = Source::buffer(self.cx.temporary(ty.clone()), &ty.shape);
        self.storage[var.index()] = Some(source.clone());
        source
    }

    /// How to read `var` through `map` without computing anything, if it is in memory or is a
    /// source; axes of the result are those of the map's domain of `rank` axes.
    fn source(&self, var: VarId, map: &[AxisMap], rank: usize) -> Result<Source> {
        let (base, map) = self.chase(var, map);
        let stored = |var: VarId| {
            self.storage[var.index()]
                .as_ref()
                .ok_or_else(|| internal(&format!("{var} is read before it is stored")))
        };
        Ok(match &self.kinds[base.index()] {
            Kind::Source(source) => source.through(&map, rank),
            Kind::Alias { base: memory } => {
                let strides = signed_strides(&self.graph.ty(base).shape);
                Source { strides, ..stored(*memory)?.clone() }.through(&map, rank)
            }
            Kind::Node(_) | Kind::View { .. } => stored(base)?.through(&map, rank),
        })
    }

    /// `var` as a strided buffer, copied to a new one if it is not in memory or `accept` refuses
    /// its layout.
    fn buffer_of(
        &mut self,
        var: VarId,
        location: Loc,
        accept: impl Fn(&Source, &[usize]) -> bool,
    ) -> Result<Source> {
        let ty = self.graph.ty(var).clone();
        let source = self.source(var, &kinds::identity(ty.rank()), ty.rank())?;
        if matches!(source.what, What::Buffer(_)) && accept(&source, &ty.shape) {
            return Ok(source);
        }
        let copy = Source::buffer(self.cx.temporary(ty.clone()), &ty.shape);
        self.copy(&source, &copy, &ty, location);
        Ok(copy)
    }

    /// A kernel that copies one array.
    fn copy(&mut self, from: &Source, to: &Source, ty: &ArrayType, location: Loc) {
        let What::Buffer(buffer) = to.what else { return };
        let extents: SmallVec<[usize; 4]> = ty.shape.iter().copied().collect();
        let expr = match &from.what {
            What::Buffer(buffer) => {
                Expr::Load { buffer: *buffer, index: from.index(), guard: None }
            }
            What::Index => Expr::Index(from.index()),
            What::Literal(scalar) => Expr::Literal(*scalar),
        };
        self.stmts.push(Stmt::Kernel(Kernel {
            parallel: extents,
            reduce: SmallVec::new(),
            exprs: vec![expr],
            types: vec![ty.dtype],
            stores: vec![Store { buffer, index: to.index(), value: ExprId(0), reduce: None }],
            location,
            lines: smallvec::smallvec![location],
        }));
    }

    /// Copies what no kernel wrote in place. Old carries are read before any new one is written.
    fn finish_targets(&mut self, targets: &[Target], direct: &[bool]) {
        let location = self.graph.eqns().last().map_or_else(unknown, |e| e.location);
        let mut late = Vec::new();
        for (i, target) in targets.iter().enumerate() {
            let var = self.graph.outputs()[i];
            if direct[i] || target.carry.is_some_and(|k| self.graph.inputs()[k] == var) {
                continue;
            }
            let ty = self.graph.ty(var).clone();
            let identity = kinds::identity(ty.rank());
            let Ok(mut source) = self.source(var, &identity, ty.rank()) else { continue };
            if target.carry.is_none() {
                self.copy(&source, &target.source, &ty, location);
                continue;
            }
            let (base, _) = self.chase(var, &identity);
            if self.graph.inputs().contains(&base) && matches!(source.what, What::Buffer(_)) {
                let copy = Source::buffer(self.cx.temporary(ty.clone()), &ty.shape);
                self.copy(&source, &copy, &ty, location);
                source = copy;
            }
            late.push((source, target.source.clone(), ty));
        }
        for (source, target, ty) in late {
            self.copy(&source, &target, &ty, location);
        }
    }

    fn emit(&mut self, cluster: &Cluster, stored: &[bool]) -> Result<()> {
        if cluster.is_fused() {
            return self.kernel(cluster, stored);
        }
        for &n in &cluster.nodes {
            match self.nodes[n].kind {
                NodeKind::Control => self.control(n)?,
                NodeKind::Pieces => self.pieces(n)?,
                NodeKind::Library => self.library(n)?,
                NodeKind::Point | NodeKind::Relayout | NodeKind::Reduce => {
                    return Err(internal("a fused equation stands alone"));
                }
            }
        }
        Ok(())
    }
}

fn internal(message: &str) -> Error {
    Error::new(ErrorKind::Internal, format!("lowering: {message}"))
}

#[track_caller]
fn unknown() -> Loc {
    std::panic::Location::caller()
}

/// Row-major steps as signed numbers.
fn signed_strides(shape: &[usize]) -> SmallVec<[i64; 4]> {
    row_major_strides(shape).into_iter().map(|s| s as i64).collect()
}
