//! Loads at computed indices, and the calls of scatters, running reductions, sorts and functions
//! of the host.

use super::code::{Memory, Val, element_type};
use super::group::Group;
use super::memory::Coordinate;
use super::strip::Strip;
use super::{Emitter, Extra};
use crate::library::{HostCall, Indexing};
use crate::symbols;
use crate::wide;
use cranelift_codegen::ir::{InstBuilder, types};
use probpipe_lowering::{BufferId, ExprId, IndexMap, LibraryCall, Place, View};
use probpipe_trace::eval::{Groups, IndexedDims};
use probpipe_trace::{Callback, DType, Loc, Result};
use smallvec::SmallVec;
use std::sync::Arc;

/// Of so many updates it is found out once which go together: fewer are not worth it, and more take
/// longer to put in order than to compile.
const GROUPED: std::ops::Range<usize> = 32..1 << 17;

impl Emitter<'_, '_> {
    /// Reads the element at an affine index plus steps times `i32` values.
    pub(super) fn load_at(
        &mut self,
        buffer: BufferId,
        index: &IndexMap,
        at: &[Coordinate],
        places: &[(Val, i64)],
    ) -> Result<Val> {
        let dtype = self.program.buffer(buffer).ty.dtype;
        let (mut base, offset) = self.address(buffer, index, at)?;
        for &(place, step) in places {
            let wide = self.code.builder.ins().uextend(types::I64, place);
            let bytes = self.code.mul_const(wide, step * dtype.size() as i64);
            base = self.code.add(base, bytes);
        }
        let class = self.classes[buffer.0 as usize];
        Ok(self.code.load(class, element_type(dtype), base, offset))
    }

    /// [`Emitter::load_at`] for every point of a strip.
    pub(super) fn load_at_group(
        &mut self,
        strip: &Strip<'_>,
        buffer: BufferId,
        index: &IndexMap,
        places: &[(ExprId, i64)],
    ) -> Result<Group> {
        let dtype = self.program.buffer(buffer).ty.dtype;
        let points = strip.points;
        let step = index.axes.last().copied().unwrap_or(0);
        let mut lanes_of = Vec::with_capacity(places.len());
        for &(place, step) in places {
            lanes_of.push((strip.get(place)?.lanes(&mut self.code, points), step));
        }
        let mut lanes: SmallVec<[Val; 16]> = SmallVec::new();
        for k in 0..points {
            let map = IndexMap { offset: index.offset + k as i64 * step, ..index.clone() };
            let places: SmallVec<[(Val, i64); 2]> =
                lanes_of.iter().map(|(lanes, step)| (lanes[k], *step)).collect();
            lanes.push(self.load_at(buffer, &map, &strip.at, &places)?);
        }
        if strip.fills(dtype) {
            let registers = Group::Lanes(lanes).vectors(&mut self.code, dtype, points);
            return Ok(Group::Vectors(registers));
        }
        Ok(Group::Lanes(lanes))
    }

    /// Emits the call of a scatter, a running reduction, a sort or a special function.
    pub(super) fn indexing(&mut self, call: &LibraryCall) -> Result<()> {
        let dtype = |view: &View| self.program.buffer(view.buffer).ty.dtype;
        let descriptor = match call {
            LibraryCall::Scatter { op, dims, input, indices, updates, out } => {
                let in_place = input.buffer == out.buffer;
                let groups = self.groups(dims, indices)?;
                let sums = groups
                    .as_ref()
                    .filter(|groups| wide::available() && groups.are_plain_sums(dtype(out), *op));
                let code =
                    sums.and_then(|sums| wide::sums(dtype(out), sums, dims.extents[0], in_place));
                if let Some(code) = code {
                    return self.sums(code, [updates, input, out]);
                }
                Indexing::Scatter {
                    dtype: dtype(out),
                    op: *op,
                    dims: dims.clone(),
                    in_place,
                    groups,
                }
            }
            LibraryCall::Cumulative { op, extents, reverse, out, .. } => Indexing::Cumulative {
                dtype: dtype(out),
                op: *op,
                extents: *extents,
                reverse: *reverse,
            },
            LibraryCall::Sort { extents, num_keys, outputs, .. } => {
                let dtypes: Vec<DType> = outputs.iter().map(dtype).collect();
                Indexing::Sort { dtypes, extents: *extents, num_keys: *num_keys }
            }
            LibraryCall::Special { op, size, out, .. } => {
                Indexing::Special { dtype: dtype(out), op: *op, size: *size }
            }
            LibraryCall::Matmul { .. }
            | LibraryCall::Cholesky { .. }
            | LibraryCall::TriangularSolve { .. }
            | LibraryCall::Callback { .. }
            | LibraryCall::Factors { .. } => return Ok(()),
        };
        self.write_addresses(&call.views())?;
        let descriptor = Arc::new(descriptor);
        let pointer = self.code.int(Arc::as_ptr(&descriptor) as i64);
        self.needs.indexings.push(descriptor);
        self.code.call(symbols::indexing(), &[pointer, self.scratch], None);
        Ok(())
    }

    /// What goes together in a scatter of single elements at indices that are data of the program.
    fn groups(&self, dims: &IndexedDims, indices: &[View]) -> Result<Option<Groups>> {
        let (IndexedDims { batch: 1, rest: 1, count, .. }, [n], [list]) =
            (dims, &dims.extents[..], indices)
        else {
            return Ok(None);
        };
        let Place::Const(value) = &self.program.buffer(list.buffer).place else { return Ok(None) };
        if !GROUPED.contains(count) || value.ty().size() != *count || list.index.offset != 0 {
            return Ok(None);
        }
        let list = value.to_host()?;
        Ok(Groups::of(bytemuck::cast_slice(list.bytes()), *n))
    }

    /// Emits the call of the code of a scatter's sums.
    fn sums(&mut self, code: Vec<u8>, views: [&View; 3]) -> Result<()> {
        let number = self.extra(Extra::Region(code));
        let mut addresses: SmallVec<[Val; 3]> = SmallVec::new();
        for view in views {
            let (base, offset) = self.address(view.buffer, &view.index, &[Coordinate::At(0)])?;
            addresses.push(self.code.add_const(base, offset));
        }
        self.code.call_extra(number, &addresses);
        Ok(())
    }

    /// Emits the call of a function of the host.
    pub(super) fn callback(
        &mut self,
        call: &LibraryCall,
        callback: &Arc<Callback>,
        location: Loc,
    ) -> Result<()> {
        self.write_addresses(&call.views())?;
        let descriptor = Arc::new(HostCall { callback: callback.clone(), location });
        let pointer = self.code.int(Arc::as_ptr(&descriptor) as i64);
        self.needs.callbacks.push(descriptor);
        self.code.call(symbols::host_call(), &[pointer, self.scratch], None);
        Ok(())
    }

    /// Writes the addresses of row-major arrays to scratch memory, for a library call.
    pub(super) fn write_addresses(&mut self, views: &[&View]) -> Result<()> {
        self.scratch_bytes = self.scratch_bytes.max(8 * views.len());
        for (i, view) in views.iter().enumerate() {
            let (base, offset) = self.address(view.buffer, &view.index, &[Coordinate::At(0)])?;
            let address = self.code.add_const(base, offset);
            self.code.store(Memory::Scratch, address, self.scratch, 8 * i as i64);
        }
        Ok(())
    }
}
