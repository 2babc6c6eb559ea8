import { connect } from '@meerkat/client';
import { WorkQueue } from '@meerkat/client/recipes';
import { expect, withZooKeeper } from '../support/zookeeper.ts';

/* Twenty images and three workers. One of them dies over its first image; nothing is lost. */

const images = Array.from({ length: 20 }, (_, index) => `image-${index + 1}.png`);

await withZooKeeper(async (connectString, root) => {
  const queueOptions = { lockPath: `${root}/images-locks` };
  const finished = new AbortController();
  const begun: string[] = [];
  const done = new Map<string, string>();
  let dropped = '';
  let tellDropped = (): void => {};
  const hasDropped = new Promise<void>((resolve) => {
    tellDropped = resolve;
  });

  async function worker(name: string, dies: boolean): Promise<void> {
    const zk = await connect(connectString);
    const queue = new WorkQueue(zk, `${root}/images`, queueOptions);
    for await (const work of queue.work({ signal: finished.signal })) {
      for (const item of work.items) {
        const image = Buffer.from(item).toString();
        begun.push(image);
        if (dies) {
          console.log(`${name} dies over ${image}`);
          dropped = image;
          tellDropped();
          await zk.close();
          return;
        }
        // The others are no faster than that, or there might be nothing left to drop.
        await hasDropped;
        done.set(image, name);
        console.log(`${name} has done ${image}`);
      }
      await work.done();
      if (done.size === images.length) finished.abort();
    }
    await zk.close();
  }

  await using producer = await connect(connectString);
  const queue = new WorkQueue(producer, `${root}/images`, queueOptions);
  for (const image of images) await queue.put(image);
  await Promise.all([worker('ada', false), worker('bob', false), worker('cem', true)]);

  expect(
    images.every((image) => done.has(image)),
    'every image is done',
  );
  expect(begun.filter((image) => image === dropped).length === 2, 'what was dropped is done again');
  expect(begun.length === images.length + 1, 'nothing else is done twice');
  console.log(`all ${done.size} images are done; ${dropped} by ${done.get(dropped)} in the end`);
});
