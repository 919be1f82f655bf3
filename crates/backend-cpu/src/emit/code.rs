//! The one interface between what is emitted and Cranelift, which does the emitting: typed
//! constants, memory, calls and counted loops. It knows element types and registers, and nothing of
//! programs, kernels or index maps. Another emitter would replace this file and its neighbours
//! `scalar`, `cast` and `vector`.

use crate::isa;
use crate::symbols::Door;
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{
    self, AbiParam, AliasRegion, AliasRegionData, BlockArg, ExtFuncData, ExternalName, InstBuilder,
    MemFlagsData, SigRef, Signature, StackSlotData, StackSlotKind, Type, UserExternalName, types,
};
use cranelift_codegen::isa::{CallConv, TargetFrontendConfig};
use cranelift_frontend::{FunctionBuilder, Variable};
use probpipe_trace::{DType, Scalar};
use rustc_hash::FxHashMap;
use smallvec::SmallVec;

/// A value in a register: a scalar, or a 128-bit vector.
pub(crate) type Val = ir::Value;
/// A mutable scalar or vector; lives in a register where it can.
pub(crate) type Var = Variable;

/// What memory an access goes to. Accesses to different classes never overlap.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Memory {
    /// Inputs and constants: never written while the program runs.
    ReadOnly,
    /// Output `k`.
    Output(usize),
    /// Intermediate buffers.
    Arena,
    /// Tiles of this compiler's own.
    Scratch,
}

/// A function being emitted.
pub(crate) struct Code<'a> {
    pub(crate) builder: FunctionBuilder<'a>,
    target: (CallConv, TargetFrontendConfig),
    signatures: FxHashMap<(SmallVec<[Type; 8]>, Option<Type>), SigRef>,
    regions: FxHashMap<u32, AliasRegion>,
    stretch: u32,
}

/// The register type of one element; `bool` is an `i8` that holds 0 or 1.
pub(crate) fn element_type(dtype: DType) -> Type {
    match dtype {
        DType::F32 => types::F32,
        DType::F64 => types::F64,
        DType::I32 | DType::U32 => types::I32,
        DType::I64 | DType::U64 => types::I64,
        DType::U8 | DType::Bool => types::I8,
    }
}

/// The 128-bit vector type of an element type of 4 or 8 bytes.
pub(crate) fn vector_type(dtype: DType) -> Type {
    match dtype {
        DType::F32 => types::F32X4,
        DType::F64 => types::F64X2,
        DType::I32 | DType::U32 => types::I32X4,
        DType::I64 | DType::U64 => types::I64X2,
        DType::U8 | DType::Bool => types::I8X16,
    }
}

impl<'a> Code<'a> {
    /// Begins a function of pointers and integers: its parameters.
    pub(crate) fn begin(
        mut builder: FunctionBuilder<'a>,
        target: (CallConv, TargetFrontendConfig),
    ) -> (Code<'a>, Vec<Val>) {
        let block = builder.create_block();
        builder.append_block_params_for_function_params(block);
        builder.switch_to_block(block);
        builder.seal_block(block);
        let params = builder.block_params(block).to_vec();
        let (signatures, regions) = (FxHashMap::default(), FxHashMap::default());
        (Code { builder, target, signatures, regions, stretch: 0 }, params)
    }

    /// The calling convention of functions, and what Cranelift asks at their end.
    pub(crate) fn target(&self) -> (CallConv, TargetFrontendConfig) {
        self.target
    }

    /// Returns.
    pub(crate) fn end(mut self) {
        self.builder.ins().return_(&[]);
        self.builder.finalize(self.target.1);
    }

    /// A signature of this many pointers and integers.
    pub(crate) fn signature(call_conv: CallConv, parameters: usize) -> Signature {
        let mut signature = Signature::new(call_conv);
        signature.params.extend(vec![AbiParam::new(types::I64); parameters]);
        signature
    }

    /// The signature of a call, made once.
    fn signature_of(&mut self, params: SmallVec<[Type; 8]>, result: Option<Type>) -> SigRef {
        let (call_conv, _) = self.target;
        let builder = &mut self.builder;
        *self.signatures.entry((params.clone(), result)).or_insert_with(|| {
            let mut signature = Signature::new(call_conv);
            signature.params.extend(params.iter().map(|&t| AbiParam::new(t)));
            signature.returns.extend(result.map(AbiParam::new));
            builder.import_signature(signature)
        })
    }

    /// The address of the function with this number in the module.
    pub(crate) fn address_of(&mut self, number: u32, parameters: usize) -> Val {
        let signature = self.signature_of(SmallVec::from_elem(types::I64, parameters), None);
        let name = UserExternalName { namespace: 0, index: number };
        let name = self.builder.func.declare_imported_user_function(name);
        let data = ExtFuncData {
            name: ExternalName::user(name),
            signature,
            // Wherever the code comes to lie.
            colocated: false,
            patchable: false,
        };
        let function = self.builder.import_function(data);
        self.builder.ins().func_addr(types::I64, function)
    }

    /// The type of a value.
    pub(crate) fn type_of(&self, x: Val) -> Type {
        self.builder.func.dfg.value_type(x)
    }

    /// A 64-bit integer or address.
    pub(crate) fn int(&mut self, value: i64) -> Val {
        self.builder.ins().iconst(types::I64, value)
    }

    /// A literal of an element type.
    pub(crate) fn literal(&mut self, dtype: DType, value: Scalar) -> Val {
        let ins = self.builder.ins();
        match dtype {
            DType::F32 => ins.f32const(value.as_f64() as f32),
            DType::F64 => ins.f64const(value.as_f64()),
            DType::I32 => ins.iconst(types::I32, i64::from(value.as_i128() as u32)),
            DType::U32 => ins.iconst(types::I32, i64::from(value.as_i128() as u32)),
            DType::I64 | DType::U64 => ins.iconst(types::I64, value.as_i128() as i64),
            DType::U8 => ins.iconst(types::I8, i64::from(value.as_i128() as u8)),
            DType::Bool => ins.iconst(types::I8, i64::from(value.as_f64() != 0.0)),
        }
    }

    /// A small integer as a literal of an element type.
    pub(crate) fn small(&mut self, dtype: DType, value: i64) -> Val {
        self.literal(dtype, Scalar::Int(i128::from(value)))
    }

    /// A vector constant from its bytes.
    pub(crate) fn vector_constant(&mut self, ty: Type, bytes: [u8; 16]) -> Val {
        let constant = self.builder.func.dfg.constants.insert(bytes.to_vec().into());
        self.builder.ins().vconst(ty, constant)
    }

    fn flags(&mut self, memory: Memory) -> MemFlagsData {
        let flags = MemFlagsData::new().with_notrap();
        let id = match memory {
            // Hoisting out of loops is left to Cranelift: nothing writes here.
            Memory::ReadOnly => return flags.with_readonly().with_can_move(),
            Memory::Arena => 0,
            Memory::Scratch => 1,
            Memory::Output(k) => 2 + k as u32,
        };
        let function = &mut self.builder.func;
        let region = *self.regions.entry(id).or_insert_with(|| {
            let description = format!("{memory:?}").into();
            function.dfg.alias_regions.insert(AliasRegionData { user_id: id, description })
        });
        flags.with_alias_region(Some(region))
    }

    /// Reads `ty` at `base + offset` bytes.
    pub(crate) fn load(&mut self, memory: Memory, ty: Type, base: Val, offset: i64) -> Val {
        let flags = self.flags(memory);
        let (base, offset) = self.displace(base, offset);
        if matches!(ty, types::F32X4 | types::F64X2) && !isa::has_avx() {
            // Cranelift makes loads operands of comparisons, which before AVX had to be aligned. Of
            // other types it does not.
            let bits = self.builder.ins().load(types::I8X16, flags, base, offset);
            let same = MemFlagsData::new().with_endianness(ir::Endianness::Little);
            return self.builder.ins().bitcast(ty, same, bits);
        }
        self.builder.ins().load(ty, flags, base, offset)
    }

    /// Writes at `base + offset` bytes.
    pub(crate) fn store(&mut self, memory: Memory, value: Val, base: Val, offset: i64) {
        let flags = self.flags(memory);
        let (base, offset) = self.displace(base, offset);
        self.builder.ins().store(flags, value, base, offset);
    }

    /// Splits a displacement into what an instruction can hold and an addition for the rest.
    fn displace(&mut self, base: Val, offset: i64) -> (Val, i32) {
        match i32::try_from(offset) {
            Ok(small) => (base, small),
            Err(_) => (self.add_const(base, offset), 0),
        }
    }

    /// `x + k` of 64-bit integers.
    pub(crate) fn add_const(&mut self, x: Val, k: i64) -> Val {
        if k == 0 { x } else { self.builder.ins().iadd_imm_s(x, k) }
    }

    /// `x + y` of 64-bit integers.
    pub(crate) fn add(&mut self, x: Val, y: Val) -> Val {
        self.builder.ins().iadd(x, y)
    }

    /// `x * k` of 64-bit integers.
    pub(crate) fn mul_const(&mut self, x: Val, k: i64) -> Val {
        match k {
            1 => x,
            k if k > 0 && (k as u64).is_power_of_two() => {
                self.builder.ins().ishl_imm_u(x, i64::from(k.trailing_zeros()))
            }
            k => self.builder.ins().imul_imm_s(x, k),
        }
    }

    /// `condition ? x : y` of scalars.
    pub(crate) fn choose(&mut self, condition: Val, x: Val, y: Val) -> Val {
        self.builder.ins().select(condition, x, y)
    }

    /// The constant that a value is, where it is known.
    pub(crate) fn known_int(&self, x: Val) -> Option<i64> {
        let inst = self.builder.func.dfg.value_def(x).inst()?;
        match self.builder.func.dfg.insts[inst] {
            ir::InstructionData::UnaryImm { opcode: ir::Opcode::Iconst, imm } => Some(imm.bits()),
            _ => None,
        }
    }

    /// Calls a function of this process.
    pub(crate) fn call(
        &mut self,
        function: Door,
        args: &[Val],
        result: Option<Type>,
    ) -> Option<Val> {
        let params: SmallVec<[Type; 8]> = args.iter().map(|&a| self.type_of(a)).collect();
        let signature = self.signature_of(params, result);
        let callee = self.builder.ins().iconst(types::I64, function.address());
        let inst = self.builder.ins().call_indirect(signature, callee, args);
        self.builder.inst_results(inst).first().copied()
    }

    /// Calls the function with this number in the module, of pointers and integers.
    pub(crate) fn call_extra(&mut self, number: u32, args: &[Val]) {
        let signature = self.signature_of(SmallVec::from_elem(types::I64, args.len()), None);
        let callee = self.address_of(number, args.len());
        self.builder.ins().call_indirect(signature, callee, args);
    }

    /// A fresh variable with a first value.
    pub(crate) fn variable(&mut self, first: Val) -> Var {
        let ty = self.type_of(first);
        let var = self.builder.declare_var(ty);
        self.builder.def_var(var, first);
        var
    }

    /// The variable's value here.
    pub(crate) fn get(&mut self, var: Var) -> Val {
        self.builder.use_var(var)
    }

    /// Changes the variable.
    pub(crate) fn set(&mut self, var: Var, value: Val) {
        self.builder.def_var(var, value);
    }

    /// Continues in a block.
    fn switch_to(&mut self, block: ir::Block) {
        self.stretch += 1;
        self.builder.switch_to_block(block);
    }

    /// A number for the stretch of code without jumps that is being emitted.
    pub(crate) fn stretch(&self) -> u32 {
        self.stretch
    }

    /// Begins a loop over `start, start + step, ...` below `end`, all known now; straight-line code
    /// when there is but one. There is at least one.
    pub(crate) fn open_loop(&mut self, start: i64, end: i64, step: i64) -> LoopScope {
        let first = self.int(start);
        if start + step >= end {
            return LoopScope { index: first, head: None, step, end };
        }
        let head = self.builder.create_block();
        let index = self.builder.append_block_param(head, types::I64);
        self.builder.ins().jump(head, &[BlockArg::Value(first)]);
        self.switch_to(head);
        LoopScope { index, head: Some(head), step, end }
    }

    /// Ends a loop.
    pub(crate) fn close_loop(&mut self, scope: LoopScope) {
        let Some(head) = scope.head else { return };
        let exit = self.builder.create_block();
        let next = self.builder.ins().iadd_imm_s(scope.index, scope.step);
        let more = self.builder.ins().icmp_imm_s(IntCC::SignedLessThan, next, scope.end);
        self.builder.ins().brif(more, head, &[BlockArg::Value(next)], exit, &[]);
        self.builder.seal_block(head);
        self.switch_to(exit);
        self.builder.seal_block(exit);
    }

    /// Begins a loop over `begin, begin + step, ...` below `end`; there may be none.
    pub(crate) fn open_range(&mut self, begin: Val, end: Val, step: i64) -> RangeScope {
        let (body, exit) = (self.builder.create_block(), self.builder.create_block());
        let index = self.builder.append_block_param(body, types::I64);
        let any = self.builder.ins().icmp(IntCC::SignedLessThan, begin, end);
        self.builder.ins().brif(any, body, &[BlockArg::Value(begin)], exit, &[]);
        self.switch_to(body);
        RangeScope { index, body, exit, step, end }
    }

    /// Ends a loop.
    pub(crate) fn close_range(&mut self, scope: RangeScope) {
        let RangeScope { index, body, exit, step, end } = scope;
        let next = self.builder.ins().iadd_imm_s(index, step);
        let more = self.builder.ins().icmp(IntCC::SignedLessThan, next, end);
        self.builder.ins().brif(more, body, &[BlockArg::Value(next)], exit, &[]);
        self.builder.seal_block(body);
        self.start(exit);
    }

    /// The same value, of which Cranelift does not know that it is.
    pub(crate) fn apart(&mut self, value: Val) -> Val {
        let ty = self.type_of(value);
        let size = ty.bytes();
        let slot = StackSlotData::new(StackSlotKind::ExplicitSlot, size, size.ilog2() as u8);
        let slot = self.builder.create_sized_stack_slot(slot);
        let address = self.builder.ins().stack_addr(types::I64, slot, 0);
        let flags = MemFlagsData::trusted();
        self.builder.ins().store(flags, value, address, 0);
        // Reads that others may write before are not taken for the value that was written.
        let bits = match ty {
            types::F64 => types::I64,
            types::F32 => types::I32,
            other => other,
        };
        let copy = self.builder.ins().atomic_load(bits, flags, address);
        if bits == ty { copy } else { self.builder.ins().bitcast(ty, MemFlagsData::new(), copy) }
    }

    /// The smaller of two 64-bit integers.
    pub(crate) fn smaller(&mut self, x: Val, y: Val) -> Val {
        let less = self.builder.ins().icmp(IntCC::SignedLessThan, x, y);
        self.choose(less, x, y)
    }

    /// A block that code will continue in.
    pub(crate) fn block(&mut self) -> ir::Block {
        self.builder.create_block()
    }

    /// Goes on at `block`.
    pub(crate) fn jump(&mut self, block: ir::Block) {
        self.builder.ins().jump(block, &[]);
    }

    /// Continues in a block to which all jumps have been written.
    pub(crate) fn start(&mut self, block: ir::Block) {
        self.switch_to(block);
        self.builder.seal_block(block);
    }

    /// Begins a loop whose end is decided inside; gives the block to jump back to.
    pub(crate) fn open_head(&mut self) -> ir::Block {
        let head = self.block();
        self.jump(head);
        self.switch_to(head);
        head
    }

    /// Leaves for the block that it gives if `test` is zero.
    pub(crate) fn leave_unless(&mut self, test: Val) -> ir::Block {
        let (body, exit) = (self.block(), self.block());
        self.builder.ins().brif(test, body, &[], exit, &[]);
        self.start(body);
        exit
    }

    /// Goes back to the head of a loop; continues after it.
    pub(crate) fn close_head(&mut self, head: ir::Block, exit: ir::Block) {
        self.jump(head);
        self.builder.seal_block(head);
        self.start(exit);
    }

    /// Continues where `x > limit`, signed; gives the block after it.
    pub(crate) fn enter_if_above(&mut self, x: Val, limit: i64) -> ir::Block {
        let (body, after) = (self.block(), self.block());
        let above = self.builder.ins().icmp_imm_s(IntCC::SignedGreaterThan, x, limit);
        self.builder.ins().brif(above, body, &[], after, &[]);
        self.start(body);
        after
    }

    /// Continues where `index <= limit`, signed; gives the block for the other case.
    pub(crate) fn enter_if_at_most(&mut self, index: Val, limit: i64) -> ir::Block {
        let (body, other) = (self.block(), self.block());
        let fits = self.builder.ins().icmp_imm_s(IntCC::SignedLessThanOrEqual, index, limit);
        self.builder.ins().brif(fits, body, &[], other, &[]);
        self.start(body);
        other
    }
}

/// A loop whose bounds are values, between its opening and its closing.
#[must_use]
pub(crate) struct RangeScope {
    /// The counter.
    pub(crate) index: Val,
    body: ir::Block,
    exit: ir::Block,
    step: i64,
    end: Val,
}

/// A loop between its opening and its closing.
#[must_use]
pub(crate) struct LoopScope {
    /// The counter.
    pub(crate) index: Val,
    head: Option<ir::Block>,
    step: i64,
    end: i64,
}
