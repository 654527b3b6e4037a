# The engines on machines with less than this one: oneDNN can be told to use no more than an instruction
# set. What it then has no fast kernel for falls back, and every answer stays right.

tests=$BATS_TEST_DIRNAME/../../${BUILD:-build}/tests/engine
export OMP_WAIT_POLICY=passive

@test "whole networks with SSE4.1 alone" {
    cd "$BATS_TEST_DIRNAME/../.."
    DNNL_MAX_CPU_ISA=SSE41 "$tests/test_networks"
}

@test "whole networks with AVX2" {
    cd "$BATS_TEST_DIRNAME/../.."
    DNNL_MAX_CPU_ISA=AVX2 "$tests/test_networks"
}

@test "whole networks with AVX-512 and no bf16" {
    cd "$BATS_TEST_DIRNAME/../.."
    DNNL_MAX_CPU_ISA=AVX512_CORE "$tests/test_networks"
}

# No VNNI: u8 x s8 kernels would saturate, so int8 is refused and fp32 or bf16 sums the same integers.
@test "exact inference with SSE4.1, AVX2, and AVX-512 without VNNI" {
    cd "$BATS_TEST_DIRNAME/../.."
    for isa in SSE41 AVX2 AVX512_CORE; do
        DNNL_MAX_CPU_ISA=$isa "$tests/test_inference"
    done
}

@test "training in bf16 is refused where there is none" {
    cd "$BATS_TEST_DIRNAME/../.."
    DNNL_MAX_CPU_ISA=AVX512_CORE "$tests/test_bf16"
}
