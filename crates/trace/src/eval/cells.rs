//! Elements as the loops over contiguous memory see them: what they add up in, what is smaller, and
//! the integers that order as they do.

/// Runs `$body` with `$R` bound to how elements of `$dtype` lie in memory.
macro_rules! for_cell {
    ($dtype:expr, $R:ident => $body:expr) => {{
        macro_rules! arm {
            ($t:ty) => {{
                type $R = $t;
                $body
            }};
        }
        match $dtype {
            DType::F32 => arm!(f32),
            DType::F64 => arm!(f64),
            DType::I32 => arm!(i32),
            DType::I64 => arm!(i64),
            DType::U8 | DType::Bool => arm!(u8),
            DType::U32 => arm!(u32),
            DType::U64 => arm!(u64),
        }
    }};
}
pub(super) use for_cell;

/// What the loops ask of an element.
pub(super) trait Cell: bytemuck::Pod {
    /// The ranks of elements fit into so many bits.
    const RANK_BITS: u32 = 8 * size_of::<Self>() as u32;
    /// The ranks that different elements share: of both zeros, and of all NaN.
    const SHARED: &[u64];
    /// What running sums and products are kept in.
    type Wide: Copy;
    fn widen(self) -> Self::Wide;
    fn narrow(wide: Self::Wide) -> Self;
    fn wide_sum(x: Self::Wide, y: Self::Wide) -> Self::Wide;
    fn wide_product(x: Self::Wide, y: Self::Wide) -> Self::Wide;
    fn sum(self, y: Self) -> Self;
    fn product(self, y: Self) -> Self;
    fn smaller(self, y: Self) -> Self;
    fn larger(self, y: Self) -> Self;
    /// A number that orders as the elements do: NaN last, both zeros equal.
    fn rank(self) -> u64;
    /// The element of a rank, one of those that share it.
    fn of_rank(rank: u64) -> Self;
}

macro_rules! float_cell {
    ($t:ident $bits:ident) => {
        impl Cell for $t {
            const SHARED: &[u64] = &[1 << ($bits::BITS - 1), $bits::MAX as u64];
            type Wide = f64;
            fn widen(self) -> f64 {
                f64::from(self)
            }
            fn narrow(wide: f64) -> $t {
                wide as $t
            }
            fn wide_sum(x: f64, y: f64) -> f64 {
                x + y
            }
            fn wide_product(x: f64, y: f64) -> f64 {
                x * y
            }
            fn sum(self, y: $t) -> $t {
                self + y
            }
            fn product(self, y: $t) -> $t {
                self * y
            }
            fn smaller(self, y: $t) -> $t {
                if self.is_nan() || self < y || !y.is_nan() && self == y { self } else { y }
            }
            fn larger(self, y: $t) -> $t {
                if self.is_nan() || self > y || !y.is_nan() && self == y { self } else { y }
            }
            fn rank(self) -> u64 {
                if self.is_nan() {
                    return u64::from($bits::MAX);
                }
                // Adding zero turns -0 into 0. The bits of negative numbers grow downwards.
                let bits = (self + 0.0).to_bits();
                let top = 1 << ($bits::BITS - 1);
                u64::from(if bits & top == 0 { bits | top } else { !bits })
            }
            fn of_rank(rank: u64) -> $t {
                let (bits, top) = (rank as $bits, 1 << ($bits::BITS - 1));
                $t::from_bits(if bits & top == 0 { !bits } else { bits ^ top })
            }
        }
    };
}
float_cell!(f32 u32);
float_cell!(f64 u64);

macro_rules! int_cell {
    ($($t:ident $bits:ident $top:expr;)*) => {$(
        impl Cell for $t {
            const SHARED: &[u64] = &[];
            type Wide = $t;
            fn widen(self) -> $t {
                self
            }
            fn narrow(wide: $t) -> $t {
                wide
            }
            fn wide_sum(x: $t, y: $t) -> $t {
                x.wrapping_add(y)
            }
            fn wide_product(x: $t, y: $t) -> $t {
                x.wrapping_mul(y)
            }
            fn sum(self, y: $t) -> $t {
                self.wrapping_add(y)
            }
            fn product(self, y: $t) -> $t {
                self.wrapping_mul(y)
            }
            fn smaller(self, y: $t) -> $t {
                self.min(y)
            }
            fn larger(self, y: $t) -> $t {
                self.max(y)
            }
            fn rank(self) -> u64 {
                (self as $bits ^ $top).into()
            }
            fn of_rank(rank: u64) -> $t {
                (rank as $bits ^ $top) as $t
            }
        }
    )*};
}
int_cell! {
    i32 u32 1 << 31;
    i64 u64 1 << 63;
    u8 u8 0;
    u32 u32 0;
    u64 u64 0;
}
