{
  "variables": {
    "core_sources": ["<!@(node scripts/list-sources.js native/port native/shm native/store native/queue)"],
    "addon_sources": ["<!@(node scripts/list-sources.js native/addon)"],
    "lto_flags": ["<!@(node scripts/lto-flags.js)"],
    "has_tests": "<!(node -p \"fs.existsSync('native/test')\")",
    "node_addon_api": "<!(node scripts/addon-api.js)"
  },
  "target_defaults": {
    "cflags_cc!": ["-std=gnu++17", "-std=gnu++20"],
    "cflags_cc": [
      "-std=c++20",
      "-fvisibility=hidden",
      "-Wall",
      "-Wextra",
      "-Werror",
      "<@(lto_flags)"
    ],
    "ldflags": ["-O3", "<@(lto_flags)"],
    "include_dirs": ["native", "native/include"]
  },
  "targets": [
    {
      "target_name": "mobula_core",
      "type": "static_library",
      "cflags_cc!": ["-fno-exceptions"],
      "sources": ["<@(core_sources)"]
    },
    {
      "target_name": "mobula",
      "dependencies": ["mobula_core"],
      "sources": ["<@(addon_sources)", "native/port/glibc.S"],
      "defines": [
        "NAPI_VERSION=9",
        "NAPI_DISABLE_CPP_EXCEPTIONS",
        "NODE_ADDON_API_DISABLE_DEPRECATED",
        "NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS"
      ],
      "cflags_cc": [
        "-isystem <(node_root_dir)/include/node",
        "-isystem <(module_root_dir)/<(node_addon_api)"
      ],
      "ldflags": [
        "-static-libstdc++",
        "-Wl,--gc-sections",
        "-Wl,--version-script=<(module_root_dir)/native/addon/exports.map",
        "-Wl,-z,nodelete"
      ],
      "libraries": ["-lpthread", "-lrt", "-ldl"]
    }
  ],
  "conditions": [
    ["has_tests == 'true'", {
      "targets": [
        {
          "target_name": "mobula_core_test",
          "type": "executable",
          "cflags_cc!": ["-fno-exceptions"],
          "sources": ["<@(core_sources)", "<!@(node scripts/list-sources.js native/test)"],
          "defines": ["MOBULA_FAIL_POINTS"],
          "libraries": ["-lpthread", "-lrt", "-ldl"]
        }
      ]
    }]
  ]
}
