"""Configuration of the kernels that run the tutorials: warnings are errors, no history is stored, pictures are SVG."""

config = get_config()  # type: ignore[name-defined]  # noqa: F821  IPython's own
config.InteractiveShellApp.exec_lines = [
    "import warnings",
    "warnings.simplefilter('error')",
    "warnings.filterwarnings('ignore', module='ipykernel')",  # the kernel's own warnings
    "warnings.filterwarnings('ignore', message='InlineBackend._figure_formats_changed')",  # Matplotlib's, about the setting below
    "del warnings",
]
config.IPKernelApp.log_level = "ERROR"  # it warns about a local connection
config.HistoryManager.enabled = False
config.InlineBackend.figure_formats = {"svg"}
