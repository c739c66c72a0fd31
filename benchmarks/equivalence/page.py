"""stub"""
def rendered(text, record): return text
