# Toolchain of the preset aarch64: Debian's cross compiler, the libraries that scripts/test_aarch64.sh unpacks, and an emulator
# for what the build and ctest run. On a 64-bit Arm machine, use the other presets; they do not need this file.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++)
set(CMAKE_LIBRARY_ARCHITECTURE aarch64-linux-gnu)

get_filename_component(root "${CMAKE_CURRENT_LIST_DIR}/../build-aarch64/root" ABSOLUTE)
set(QAT_AARCH64_ROOT "${root}" CACHE PATH "Root of a file system that has libraries and headers for 64-bit Arm")
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES QAT_AARCH64_ROOT)
set(CMAKE_SYSROOT "${QAT_AARCH64_ROOT}")
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)

set(QAT_AARCH64_CPU max CACHE STRING "Processor that is emulated: max has all that kernels are written for, cortex-a53 plain NEON")
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-aarch64;-cpu;${QAT_AARCH64_CPU};-L;${QAT_AARCH64_ROOT})

# pkg-config looks nowhere else.
set(ENV{PKG_CONFIG_SYSROOT_DIR} "${QAT_AARCH64_ROOT}")
set(ENV{PKG_CONFIG_LIBDIR} "${QAT_AARCH64_ROOT}/usr/lib/aarch64-linux-gnu/pkgconfig:${QAT_AARCH64_ROOT}/usr/share/pkgconfig")
