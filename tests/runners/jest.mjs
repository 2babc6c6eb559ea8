import { kitTests } from './kit.mjs';

kitTests({ test, expect });
