"The page of `sketchbook app` in a real browser: explorers are chosen, used, left and found again as they were"
import io

import numpy as np
import pytest
from PIL import Image

from lab import differs, ink, wait


def test_the_page(app):
    pytest.importorskip('ipycanvas')
    with app.opened('app') as page:
        page.says('Photos and drawings stay on this computer')

        page.open('Coherent lines')
        lines = 'coherent lines'
        first = page.picture(lines)
        page.press('sigma (px)', 'End')
        bold = page.until(lines, lambda p: ink(p) > 1.2*ink(first), 'has broader lines')
        page.choose('photo', 'coffee')
        coffee = page.changed(lines, bold)

        page.open('Painting')
        empty = page.picture('picture')
        page.draw((150, 150), (250, 250))
        drawn = page.changed('picture', empty)
        name, data = page.save('painting.png')
        saved = np.asarray(Image.open(io.BytesIO(data)).convert('RGB'))/255
        assert name=='painting.png' and not differs(saved, drawn)
        canvas = page.canvas()

        page.open('Coherent lines')         # it was kept
        assert not differs(page.picture(lines), coffee) and page.value('sigma (px)')=='4.00'
        page.open('Painting')
        wait(lambda: np.array_equal(page.canvas(), canvas), 'the canvas is as it was left')
        page.draw((250, 150), (150, 250))
        page.changed('picture', drawn)


def test_a_second_page_begins_anew(app):
    "Each page has a Python of its own; a narrow window has its menu above"
    with app.opened('app_narrow') as page:
        page.says('Choose something from the menu')
        menu, heading = (page.box.locator(of).bounding_box for of in ('.sketchbook-menu', 'h2'))
        wait(lambda: heading()['x'] >= menu()['x'] + menu()['width'], 'the menu is beside the explorer')
        page.page.set_viewport_size(dict(width=500, height=900))
        wait(lambda: heading()['y'] >= menu()['y'] + menu()['height'], 'the menu is above the explorer')
