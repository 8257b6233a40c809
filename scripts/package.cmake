# What `cmake --install` leaves besides the programs, and Debian packages, by `cpack` in a build folder: qat-tools needs no
# LibTorch, qat-train adds training and the rows of qat-eval that run a checkpoint, libqat-dev is the runtime as a library.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)
set(folder ${CMAKE_INSTALL_LIBDIR}/cmake/qat)
install(EXPORT qat-targets NAMESPACE qat:: DESTINATION ${folder} COMPONENT dev)
configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/qat-config.cmake.in ${PROJECT_BINARY_DIR}/qat-config.cmake INSTALL_DESTINATION ${folder})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/qat-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/qat-config.cmake ${PROJECT_BINARY_DIR}/qat-config-version.cmake DESTINATION ${folder} COMPONENT dev)
# Written at installation: its prefix may be given there.
install(CODE "
  set(PROJECT_VERSION \"${PROJECT_VERSION}\")
  set(PROJECT_DESCRIPTION \"${PROJECT_DESCRIPTION}\")
  set(CMAKE_INSTALL_LIBDIR \"${CMAKE_INSTALL_LIBDIR}\")
  set(CMAKE_INSTALL_INCLUDEDIR \"${CMAKE_INSTALL_INCLUDEDIR}\")
  configure_file(\"${CMAKE_CURRENT_LIST_DIR}/qat.pc.in\"
    \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_LIBDIR}/pkgconfig/qat.pc\" @ONLY)" COMPONENT dev)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME qat)
set(CPACK_PACKAGE_CONTACT "QAT toolchain <qat@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "${PROJECT_DESCRIPTION}")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_COMPONENTS_GROUPING ONE_PER_GROUP)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION devel)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_COMPONENTS_ALL tools dev)
set(CPACK_DEBIAN_TOOLS_PACKAGE_NAME qat-tools)
set(CPACK_COMPONENT_TOOLS_DESCRIPTION "Freezes, converts, evaluates and proves quantized TensorFlow Lite models
 qat-freeze, qat-convert and qat-eval. None of them needs LibTorch or Python.")
set(CPACK_DEBIAN_DEV_PACKAGE_NAME libqat-dev)
set(CPACK_DEBIAN_DEV_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_DEV_PACKAGE_DEPENDS zlib1g-dev)
set(CPACK_COMPONENT_DEV_DESCRIPTION "The integer runtime for TensorFlow Lite models, as a static library
 Loads a .tflite file, runs it, reads its input contract. One header.")
if(QAT_WITH_TORCH)
  list(APPEND CPACK_COMPONENTS_ALL train)
  set(CPACK_DEBIAN_TRAIN_PACKAGE_NAME qat-train)
  set(CPACK_DEBIAN_TRAIN_PACKAGE_DEPENDS "qat-tools (= ${PROJECT_VERSION})")
  # dpkg-shlibdeps reads no private library folder of a LibTorch that is not a package.
  if(QAT_LIBTORCH)
    set(CPACK_DEBIAN_TRAIN_PACKAGE_SHLIBDEPS OFF)
  endif()
  set(CPACK_COMPONENT_TRAIN_DESCRIPTION "Quantization-aware training with LibTorch
 qat-train, and the module with which qat-eval runs its checkpoints.")
endif()
foreach(component IN LISTS CPACK_COMPONENTS_ALL)
  string(TOUPPER ${component} upper)
  install(FILES ${PROJECT_SOURCE_DIR}/LICENSE DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/${CPACK_DEBIAN_${upper}_PACKAGE_NAME} RENAME copyright
    COMPONENT ${component})
endforeach()
include(CPack)
