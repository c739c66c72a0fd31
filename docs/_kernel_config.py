"""The kernels that run the tutorials: warnings are errors, nothing is kept, pictures are SVG."""

config = get_config()  # type: ignore[name-defined]  # noqa: F821  IPython's own
config.InteractiveShellApp.exec_lines = [
    "import warnings",
    "warnings.simplefilter('error')",
    "warnings.filterwarnings('ignore', module='ipykernel')",  # the kernel's own, about itself
    "warnings.filterwarnings('ignore', message='InlineBackend._figure_formats_changed')",  # Matplotlib's, of what is set below
    "del warnings",
]
config.IPKernelApp.log_level = "ERROR"  # it warns of a connection within the machine
config.HistoryManager.enabled = False
config.InlineBackend.figure_formats = {"svg"}
