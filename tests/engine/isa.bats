# The engines on machines with less than this one: oneDNN can be told to use no more than an instruction
# set. What it then has no fast kernel for falls back, and every answer stays right.

program=$BATS_TEST_DIRNAME/../../${BUILD:-build}/tests/engine/test_networks

@test "whole networks with SSE4.1 alone" {
    cd "$BATS_TEST_DIRNAME/../.."
    DNNL_MAX_CPU_ISA=SSE41 "$program"
}

@test "whole networks with AVX2" {
    cd "$BATS_TEST_DIRNAME/../.."
    DNNL_MAX_CPU_ISA=AVX2 "$program"
}

@test "whole networks with AVX-512 and no bf16" {
    cd "$BATS_TEST_DIRNAME/../.."
    DNNL_MAX_CPU_ISA=AVX512_CORE "$program"
}
